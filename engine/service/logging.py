"""Log lines: a sentence and facts by name, as text for people or as JSON for collectors."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler

from seatwarden.engine.common.text import printable
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.site.ours import LogSettings
from seatwarden.policy.diagnostics import Diagnostic, finding_to_json, render

LOGGER = logging.getLogger("seatwarden")


@dataclass(frozen=True, slots=True)
class LoggedFinding:
    """A finding as a fact of a line, whose message is the finding's: drawn in text, in JSON its fields."""

    finding: Diagnostic
    sources: Mapping[str, str]

    def __str__(self) -> str:
        return render(self.finding, self.sources)


def log(message: str, *, level: int = logging.INFO, **facts: object) -> None:
    """Logs a sentence with facts."""
    LOGGER.log(level, message, extra={"facts": facts})


_LIBRARIES = ("apscheduler", "urllib3")
"""Their errors are logged; of their warnings (a run is skipped, a request is sent again) the service speaks itself."""


def start_log(settings: LogSettings) -> logging.Handler:
    """Begins to write log lines where the settings say; the libraries' errors too. Raises OSError."""
    handler: logging.Handler = logging.StreamHandler()
    if settings.file is not None:
        settings.file.parent.mkdir(parents=True, exist_ok=True)
        handler = _RotatingFile(
            settings.file,
            maxBytes=settings.megabytes * 1_000_000,
            backupCount=settings.files,
            encoding="utf-8",
            errors="backslashreplace",
        )
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines())
    for logger, level in _levels(settings.level.upper()):
        logger.setLevel(level)
        logger.addHandler(handler)
        logger.propagate = False
    return handler


def stop_log(handler: logging.Handler) -> None:
    """Ends what `start_log` began."""
    for logger, _ in _levels(""):
        logger.removeHandler(handler)
        logger.propagate = True
    handler.close()


def _levels(ours: str) -> list[tuple[logging.Logger, str]]:
    return [(LOGGER, ours), *((logging.getLogger(name), "ERROR") for name in _LIBRARIES)]


class _RotatingFile(RotatingFileHandler):
    """Goes on in the same file while an old one cannot be moved: on Windows because somebody reads it."""

    def doRollover(self) -> None:  # noqa: N802 - logging's name
        """Begins a new file, where that is possible."""
        try:
            super().doRollover()
        except OSError:
            if self.stream is None:
                self.stream = self._open()


class TextLines(logging.Formatter):
    """`2026-11-21T02:00:00.000Z INFO    plan sealed job=licenseRelease release=19`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever a name holds; a finding or a traceback goes on on lines that begin with spaces."""
        drawn = getattr(record, "facts", {}).get("finding")
        facts = {name: _text(value) for name, value in _facts(record).items() if value is not drawn}
        short = "".join(f" {name}={_quoted(text)}" for name, text in facts.items() if "\n" not in text)
        first, *more = (record.getMessage() if drawn is None else str(drawn)).split("\n")
        lines = [f"{_moment(record)} {record.levelname:<7} {printable(first)}{short}"]
        lines += [f"    {printable(line)}" for line in more]
        lines += [f"    {printable(line)}" for text in facts.values() if "\n" in text for line in text.split("\n")]
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `message`, and the facts by their names."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {"at": _moment(record), "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(line | _facts(record), default=_in_json, ensure_ascii=False)


def _facts(record: logging.LogRecord) -> dict[str, object]:
    facts: dict[str, object] = getattr(record, "facts", {})
    shown = {name: _worded(value) for name, value in facts.items() if value not in (None, "")}
    return shown | ({"traceback": logging.Formatter().formatException(record.exc_info)} if record.exc_info else {})


def _worded(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in_json(value: object) -> object:
    return finding_to_json(value.finding) if isinstance(value, LoggedFinding) else str(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _moment(record: logging.LogRecord) -> str:
    return format_instant(datetime.fromtimestamp(record.created, UTC))


def _quoted(text: str) -> str:
    """A text in quotes where it needs them. Backslashes stay as they are: most stand in paths of Windows and names."""
    text = printable(text)
    quoted = text.replace('"', r"\"")
    return f'"{quoted}"' if not text or set(text) & set(' ="') else text
