"""The blinded quiz: can an expert distinguish synthetic cells from real ones, and name the class of both?"""

from gansynth.studies.quiz.drawing import Quiz as Quiz
from gansynth.studies.quiz.drawing import draw_quiz as draw_quiz
from gansynth.studies.quiz.score import QuizScore as QuizScore
from gansynth.studies.quiz.score import ReaderScore as ReaderScore
from gansynth.studies.quiz.score import score_quiz as score_quiz
