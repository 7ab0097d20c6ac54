"""The model zoo, installed as the data package `gansynth.zoo`: recipes, model cards, the trained generator."""
