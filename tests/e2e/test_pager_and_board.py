"""The pager and the board as workers: killed, without their receiver, started again."""

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.contract.receiver import Answer, Receiver
from tests.e2e.listening import listening
from tests.e2e.product import Json, Product, eventually, product


def high_dose(patient: str, *, ends: bool = False) -> Iterator[Json]:
    """Yield a sample every 5 s up to now: 20 ppm, then 25, and 20 again where it ends."""
    start = datetime.now(UTC) - timedelta(seconds=100)
    for second in range(0, 100, 5):
        high = 30 <= second < (60 if ends else 100)
        yield {
            "type": "telemetry",
            "time": (start + timedelta(seconds=second)).isoformat(),
            "device": "d1",
            "patient": patient,
            "unit": "nicu",
            "bed": patient,
            "mode": "delivering",
            "set_ppm": 25 if high else 20,
            "no_ppm": 20,
            "no2_ppm": 0.1,
        }


def webhook(receiver: Receiver, home: Path) -> dict[str, str]:
    """Name the receiver as the site's webhook."""
    secret = home / "secret"
    secret.write_text(base64.b64encode(bytes(32)).decode())
    secret.chmod(0o600)
    return {
        "INOWATCH_WEBHOOK_URL": f"{receiver.url}/hook",
        "INOWATCH_WEBHOOK_SECRET_FILE": str(secret),
    }


def posts(receiver: Receiver) -> Counter[tuple[str, str, str]]:
    """Count the posts by kind, patient and phase."""
    bodies: list[Any] = [json.loads(post.body) for post in receiver.posts]
    return Counter((b["kind"], b["alert"]["patient"], b["alert"]["phase"]) for b in bodies)


def test_a_killed_pager_tells_nothing_twice(kafka: str, tmp_path: Path) -> None:
    """kill -9 of the pager after it told: started again it tells what is new, and only that."""
    with listening() as receiver, product(kafka, tmp_path, webhook(receiver, tmp_path)) as site:
        site.start("monitor", "pager")
        site.send(high_dose("one"))
        assert eventually(lambda: posts(receiver)) == {("trigger", "one", "raised"): 1}
        assert eventually(lambda: [page.outcome for page in site.pages()]) == ["delivered"]
        site.kill("pager")
        site.send(high_dose("two"))
        site.start("pager")
        wanted = {("trigger", "one", "raised"): 1, ("trigger", "two", "raised"): 1}
        eventually(lambda: posts(receiver).total() >= 2)
        assert posts(receiver) == wanted


def test_a_receiver_that_is_away_is_waited_for(kafka: str, tmp_path: Path) -> None:
    """While the receiver answers 503 nothing is lost, each attempt is recorded, order is kept."""
    away = [Answer(503), Answer(503, headers={"Retry-After": "1"})]
    with (
        listening(*away) as receiver,
        product(kafka, tmp_path, webhook(receiver, tmp_path)) as site,
    ):
        site.start("monitor", "pager")
        site.send(high_dose("one", ends=True))
        eventually(lambda: posts(receiver).total() >= 4)
        assert posts(receiver) == {
            ("trigger", "one", "raised"): 3,
            ("resolve", "one", "cleared"): 1,
        }
        eventually(lambda: len(site.pages()) >= 4)
        told = [(page.phase, page.outcome, page.attempt) for page in site.pages()]
        assert told == [
            ("raised", "failed", 1),
            ("raised", "failed", 2),
            ("raised", "delivered", 3),
            ("cleared", "delivered", 1),
        ]


def test_without_a_receiver_the_record_says_so(kafka: str, tmp_path: Path) -> None:
    """A pager without a receiver says at its start, and of each alert, that nobody was told."""
    with product(kafka, tmp_path) as site:
        site.start("monitor", "pager")
        site.send(high_dose("one"))
        pages = eventually(site.pages)
        assert [(page.outcome, page.reason) for page in pages] == [("withheld", "no-receiver")]
        assert "nobody will be paged" in site.log_of("pager")


def board_of(site: Product) -> Json:
    """Ask the board's own address for what it shows."""
    found = re.findall(r"board at (http://\S+)", site.log_of("board"))
    try:
        with urlopen(f"{found[-1]}api/board", timeout=5) as answer:
            shown: Json = json.load(answer)
            return shown
    except (IndexError, OSError):
        return {}


def test_the_board_live(kafka: str, tmp_path: Path) -> None:
    """The board shows bed, dose, the open alert and who was told; killed, it is back at once."""
    with listening() as receiver, product(kafka, tmp_path, webhook(receiver, tmp_path)) as site:
        site.start("monitor", "pager", "board")
        site.send(high_dose("one"))

        def rows() -> list[Any]:
            shown = board_of(site)
            found: list[Any] = shown.get("rows", [])
            told = [a["told"]["status"] for row in found for a in row["alerts"]]
            return found if told == ["told"] else []

        (row,) = eventually(rows)
        assert (row["bed"], row["dose"]["set"], row["state"]["word"]) == ("one", "25", "MEDIUM")
        assert [alert["rule"] for alert in row["alerts"]] == ["set-dose-high"]
        site.kill("board")
        site.kill("monitor")
        site.start("board")
        (row,) = eventually(rows)
        assert row["dose"]["set"] == "25"
        assert eventually(lambda: board_of(site)["rows"][0]["judged"]["doubt"]) == "NOT JUDGED"
