"""Ends of partitions: whole answers only."""

import pytest
from kafka.errors import KafkaTimeoutError

from deploy.kafka.edges import edges


def test_what_is_left_out_is_asked_again() -> None:
    """An answer that lacks a partition is no answer."""
    answers = [KeyError("labs/0"), {"labs/0": 7}]

    def ask(places: list[str]) -> dict[str, int]:
        answer = answers.pop(0)
        if isinstance(answer, KeyError):
            raise answer
        assert places == ["labs/0"]
        return answer

    assert edges(ask, ["labs/0"]) == {"labs/0": 7}
    assert not answers


def test_what_stays_left_out_is_named() -> None:
    """In the end it is an error of Kafka's client, which names the partition."""

    def ask(_: list[str]) -> dict[str, int]:
        raise KeyError("labs/0")

    with pytest.raises(KafkaTimeoutError, match="labs/0"):
        edges(ask, ["labs/0"], within_s=0.0)
