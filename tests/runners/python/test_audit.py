"""The audit: how it is kept, and whether a log of it is as it was written."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

import airwasm
from conftest import GUESTS, python


def keep(log: Path, options: airwasm.AuditOptions | None, denials: int = 3) -> list[dict[str, Any]]:
    """What a system that was asked for what it denies has written."""
    with airwasm.System(audit=log, audit_options=options) as system:
        till = system.spawn_host(lambda message: None, "till", grants=["custom.billing charge"])
        till.check("custom.billing charge")
        for _ in range(denials):
            with pytest.raises(airwasm.Denied):
                till.check("custom.billing refund")
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_log_that_was_written_is_verified(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    records = keep(log, airwasm.AuditOptions(level="all"))
    report = airwasm.System.audit_verify(log)
    assert report.files == [log] and report.records == len(records) >= 4
    assert (report.first_seq, report.last_seq) == (1, len(records))
    assert report.last_hash == records[-1]["hash"]
    assert (report.torn_lines, report.partial_tail) == (0, False)
    assert report == airwasm.System.audit_verify(str(log))
    assert repr(report).startswith("AuditReport(files=[PosixPath(")


def test_one_byte_that_was_edited_breaks_it(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    keep(log, airwasm.AuditOptions(level="all"))
    lines = log.read_bytes().splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if b"refund" in line)
    lines[number] = lines[number].replace(b"refund", b"refunD")
    log.write_bytes(b"".join(lines))
    with pytest.raises(airwasm.AuditBroken) as caught:
        airwasm.System.audit_verify(log)
    assert caught.value.detail == {"file": str(log), "line": number + 1, "records": number}
    assert str(caught.value).startswith(f"{log}:{number + 1}: ")


def test_a_log_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        airwasm.System.audit_verify(tmp_path / "none")
    assert isinstance(caught.value, airwasm.Io) and caught.value.errno == errno.ENOENT
    assert caught.value.filename == str(tmp_path / "none")


def test_the_level_says_what_is_written(tmp_path: Path) -> None:
    written = {}
    for level in ("denials", "all"):
        records = keep(tmp_path / level, airwasm.AuditOptions(level=level))
        written[level] = sum("custom.billing" in json.dumps(record) for record in records)
    assert written["denials"] >= 3 and written["all"] > written["denials"]


def test_a_full_log_goes_on_in_another_file(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    keep(log, airwasm.AuditOptions(level="all", rotate_bytes=2_000, rotate_files=2), denials=40)
    report = airwasm.System.audit_verify(log)
    assert report.files == [Path(f"{log}.2"), Path(f"{log}.1"), log] and report.first_seq > 1


def test_records_go_to_the_standard_error_stream_too() -> None:
    ran = python(
        """
        options = airwasm.AuditOptions(level="all", stderr=True)
        with airwasm.System(audit_options=options) as system:
            system.spawn_host(lambda message: None, "till", grants=["custom.billing charge"]).check("custom.billing charge")
        """
    )
    assert ran.returncode == 0 and "custom.billing" in ran.stderr, ran.stderr


def test_options_are_a_record() -> None:
    options = airwasm.AuditOptions(level="all", on_failure="closed", on_full="count", summary_ms=1_000)
    assert (options.level, options.on_failure, options.on_full) == ("all", "closed", "count")
    assert (options.summary_ms, options.rotate_bytes, options.rotate_files, options.stderr) == (1_000, None, None, False)
    assert options == airwasm.AuditOptions(level="all", on_failure="closed", on_full="count", summary_ms=1_000)
    assert options != airwasm.AuditOptions() and "on_full='count'" in repr(options)
    airwasm.System(audit_options=options).close()
    unbounded = airwasm.AuditOptions(rotate_bytes=airwasm.UNLIMITED, rotate_files=0, summary_ms=airwasm.UNLIMITED)
    airwasm.System(audit_options=unbounded).close()


@pytest.mark.parametrize("field", ["level", "on_failure", "on_full"])
def test_a_word_that_the_core_does_not_know_is_refused(field: str) -> None:
    wrong: Any = {field: "never"}
    with pytest.raises(airwasm.InvalidArgument) as caught:
        airwasm.System(audit_options=airwasm.AuditOptions(**wrong))
    assert caught.value.detail["which"] == f"audit_{field}" and '"never" is none of' in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"), [("rotate_bytes", 0), ("summary_ms", 0), ("rotate_files", 2**32), ("rotate_bytes", -1)]
)
def test_a_number_that_says_nothing_is_refused(field: str, value: int) -> None:
    wrong: Any = {field: value}
    with pytest.raises(airwasm.InvalidArgument, match=field):
        airwasm.System(audit_options=airwasm.AuditOptions(**wrong))


@pytest.mark.parametrize(
    "wrong", [{"level": 1}, {"rotate_bytes": "1MiB"}, {"summary_ms": 0.5}, {"stderr": 1}, {"audit_level": "all"}]
)
def test_other_types_are_type_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        airwasm.AuditOptions(**wrong)
    options: Any = wrong
    with pytest.raises(TypeError):
        airwasm.System(audit_options=options)


def test_what_a_guest_is_denied_is_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    with airwasm.System(audit=log) as system:
        reader = system.spawn(system.load(GUESTS / "reader.wasm"), "reader")
        with pytest.raises(airwasm.Denied):
            reader.request(b"/etc/passwd")
    assert "fs.read /etc/passwd" in log.read_text()
    airwasm.System.audit_verify(log)
