"""Conformance suites: inherit one in your tests, give it a factory, and your plug-in meets the laws ours meet.

from nasgauge.testing import ProxyConformance, SearcherConformance, SpaceConformance

class TestMySpace(SpaceConformance):
    def make_space(self):
        return MySpace()

class TestMySearcher(SearcherConformance):
    def make_recipe(self):
        return Recipe("mine", MySearcher)

class TestMyProxy(ProxyConformance):
    def make_proxy(self):
        return my_function  # f(network, batch), or a Proxy
"""

from __future__ import annotations

from .proxies import ProxyConformance
from .searchers import SearcherConformance, TinySpace, made_up_score, made_up_training
from .spaces import SpaceConformance

__all__ = [
    "ProxyConformance",
    "SearcherConformance",
    "SpaceConformance",
    "TinySpace",
    "made_up_score",
    "made_up_training",
]
