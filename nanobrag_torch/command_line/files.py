"""The files of a run, looked at before anything is computed (C10.5, C10.6)."""

from __future__ import annotations

from nanobrag_torch.command_line.flags import OUTPUT_FILES
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.errors import UsageError
from nanobrag_torch.formats.atomic_write import check_writable, is_standard_output
from nanobrag_torch.formats.input_file import open_input


def output_files(request: Request) -> dict[str, str]:
    """Option and name of every image that the run will write, in order."""
    left_out = set() if request.write_pgm else {"-pgmfile"}
    left_out |= set() if request.write_noise else {"-noisefile"}
    return {
        option: getattr(request, field) for option, field in OUTPUT_FILES.items() if option not in left_out
    }


def on_standard_output(request: Request) -> str | None:
    """The option whose image goes to standard output, which the report then leaves to it (C10.5).

    Raises: UsageError if there are two.
    """
    options = [option for option, name in output_files(request).items() if is_standard_output(name)]
    if len(options) > 1:
        raise UsageError(f"{options[1]}: standard output is taken by {options[0]}, expected a file")
    return options[0] if options else None


def check_files(request: Request) -> None:
    """Find out whether every file can be opened, without torch, which takes seconds to load (C10.6).

    Raises: InputFileError, OutputFileError.
    """
    inputs = (request.hkl_file, request.matrix_file, request.source_file, request.amorphous_file)
    for path in inputs:
        if path is not None:
            open_input(path)[0].close()
    for path in output_files(request).values():
        check_writable(path)
