"""Words, stars and colours. A colour is never alone: it comes with a word that says the same.

Red, yellow and cyan are those of bedside monitors, with their stars; what is well is blue-grey and
no green, so that nobody has to tell green from red; what is not known is violet and says NO DATA.
"""

from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

NO_DATA = "NO DATA"
RED, YELLOW, CYAN = "#e02f44", "#f2cc0c", "#33b5e5"
WELL, UNKNOWN, LINE = "#7b8fa6", "#8f3bb8", "#5794f2"

_WORDS = {
    "*** HIGH": RED,
    "** MEDIUM": YELLOW,
    "* LOW": CYAN,
    "INFO": WELL,
    "OPEN": YELLOW,
    "over": WELL,
    "heard": WELL,
    "SILENT": RED,
    "not sending": WELL,
    "in range": WELL,
    "no trouble": WELL,
    "trying again": YELLOW,
    "FAILING": RED,
    "high": RED,
    "medium": YELLOW,
    "low": CYAN,
    "info": WELL,
    "delivering": LINE,
    "calibrating": WELL,
    "purging": WELL,
    "standby": WELL,
    "backup": YELLOW,
    "off": WELL,
    NO_DATA: UNKNOWN,
}
"""The words that queries answer with, and the colour of each."""
_STARRED = {"high": "*** high", "medium": "** medium", "low": "* low"}


def nothing(text: str = NO_DATA, colour: str = UNKNOWN) -> ValueMapping:
    """Say a word where there is no value at all."""
    missing = ValueMappingResult(text=text, color=colour)
    return SpecialValueMap(
        DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=missing)
    )


def words() -> list[ValueMapping]:
    """Colour each word that a query may answer with, and say NO DATA for none."""
    results = {
        word: ValueMappingResult(text=_STARRED.get(word, word), color=colour, index=number)
        for number, (word, colour) in enumerate(_WORDS.items())
    }
    return [ValueMap(results), nothing()]


def alarm_words(dose_ppm: float, dose_high_ppm: float) -> list[ValueMapping]:
    """``words``, and those that a query says of a dose above its limits."""
    results = {
        f"ABOVE {dose_ppm:g}": ValueMappingResult(text=f"** ABOVE {dose_ppm:g}", color=YELLOW),
        f"ABOVE {dose_high_ppm:g}": ValueMappingResult(
            text=f"*** ABOVE {dose_high_ppm:g}", color=RED
        ),
    }
    return [ValueMap(results), *words()]


def counts() -> list[ValueMapping]:
    """Say ``none`` for 0, so that a figure is never taken for a colour alone."""
    return [ValueMap({"0": ValueMappingResult(text="none", color=WELL)}), nothing()]
