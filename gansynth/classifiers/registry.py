"""The kinds of classifiers: each is a type of recipe, and a function that makes the classifier of it.

A neural kind brings a function that builds its network, a classical one a function that fits its estimator::

    @register(TinyRecipe)                       # a NeuralRecipe
    def build(recipe, n_classes, weights_dir):
        return nn.Sequential(...)               # images [n, 3, R, R] in [-1, 1] to logits [n, n_classes]

    @register(TreesRecipe)                      # a ClassicalRecipe
    def fit(recipe, lesson, seed):
        points, labels, weight = lesson.shown(seed)
        return ExtraTreesClassifier(random_state=seed).fit(points, labels, weight)

The recipe says by ``classifier: Literal["its-name"]`` what its YAML files call it. A package hands its classifier on
through the entry point ``gansynth.classifiers``, which names the module to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args

from gansynth.recipes.classifier import KINDS, ClassicalRecipe, ClassifierRecipe, NeuralRecipe

Maker = Callable[[Any, Any, Any], Any]
"""Of a neural kind: (recipe, number of classes, folder of published weights or None) to an untrained network. Of a
classical kind: (recipe, `gansynth.classifiers.lesson.Lesson`, seed) to an estimator that was fitted, with
``predict_proba`` and ``classes_`` as scikit-learn has them."""

MAKERS: dict[type[ClassifierRecipe], Maker] = {}
_M = TypeVar("_M", bound=Maker)


def register(kind: type[NeuralRecipe] | type[ClassicalRecipe]) -> Callable[[_M], _M]:
    """Decorator of the function that makes classifiers of a kind of recipe.

    Equal recipe, lesson and seed must give an equal estimator: a run keeps what a classical classifier learned from,
    and fits it again when it is opened.

    Examples
    --------
    >>> from typing import Literal
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from gansynth.recipes.classifier import Classical
    >>> class TreeRecipe(ClassicalRecipe):
    ...     classifier: Literal["tree"]
    ...     classical: Classical = Classical()
    >>> @register(TreeRecipe)
    ... def fit(recipe, lesson, seed):
    ...     points, labels, weight = lesson.shown(seed)
    ...     return DecisionTreeClassifier(random_state=seed).fit(points, labels, weight)
    """

    def decorate(make: _M) -> _M:
        for name in get_args(kind.model_fields["classifier"].annotation):
            KINDS[name] = kind
        MAKERS[kind] = make
        return make

    return decorate
