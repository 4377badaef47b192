"""`dae-edge train`: the textbook autoencoder, and the low-light denoiser."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json, wrote
from dae_edge.cli.extras import need
from dae_edge.errors import BadValueError
from dae_edge.hush import hushed

if TYPE_CHECKING:
    from dae_edge.training.mnist import Robustness

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Train a model from nothing.")

Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="The run folder.")]


@app.command()
def mnist(
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help="A folder of MNIST's IDX files, an mnist.npz, or 'digits' to draw them. "
            "Left out, Keras downloads MNIST.",
        ),
    ] = None,
    robust: Annotated[
        bool,
        typer.Option(
            "--robust",
            help="Fresh noise every epoch, sigma 0.25 to 1.0; trains the textbook's beside it.",
        ),
    ] = False,
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", min=1)] = 10,
    output: Output = Path("runs/mnist"),
    resume: Resume = False,
    seed: options.Seed = 1337,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """The textbook denoising autoencoder: 28x28 digits, a code of 16 numbers."""
    _prepare(resume, force, json, quiet)
    with hushed():
        from dae_edge.data.mnist import load_digits
        from dae_edge.training import mnist as training
        from dae_edge.training.progress import FitProgress

        digits = load_digits(data, seed=seed)
        recipe = training.MnistRecipe(epochs=epochs, seed=seed)
        if robust:
            recipe = training.MnistRecipe(robust=True, sigma=0.25, sigma_high=1.0, epochs=epochs, seed=seed)
        table = training.train(
            recipe,
            digits,
            output,
            resume=resume,
            force=force,
            callbacks=lambda title, count: [FitProgress(out, title, count)],
        )
    _report_robustness(table)
    wrote(*(output / name for name in ("model.keras", "denoised.png", "robustness.png", "curve.png")))
    write_json(json, asdict(table), force=force)
    next_step(f"dae-edge export {output} --format onnx-int8")


def _lowlight(name: str, about: str) -> None:
    """The command that trains one size of the family."""

    @app.command(name, help=about)
    def command(
        data: Annotated[
            Path | None,
            typer.Option("--data", metavar="FOLDER", help="Your own clean pictures, beside the drawn ones."),
        ] = None,
        validation: Annotated[
            Path | None,
            typer.Option(
                "--validation",
                metavar="FOLDER",
                help="Clean clips of yours that decide which epoch is kept: folders of frames, or pictures.",
            ),
        ] = None,
        camera: options.Camera = None,
        start: Annotated[
            str | None,
            typer.Option(
                "--start",
                metavar="MODEL",
                help="Begin with a trained model, of this size or a smaller one: a shipped one's name, a "
                "run's folder or a .keras file.",
            ),
        ] = None,
        keep_memory: Annotated[
            bool,
            typer.Option(
                "--keep-memory",
                help="Go on with a trained model whose memory is right: all else learns, on single frames "
                "with the memory that they met, of four times as many clips. Needs --start.",
            ),
        ] = False,
        only_memory: Annotated[
            bool,
            typer.Option(
                "--only-memory",
                help="Go on with a trained model: only what decides when memory is let go learns. Needs "
                "--start.",
            ),
        ] = False,
        learning_rate: Annotated[
            float | None,
            typer.Option(
                "--learning-rate", metavar="RATE", help="At the start of the cosine; the recipe's if none."
            ),
        ] = None,
        precision: Annotated[
            str,
            typer.Option(
                "--precision",
                metavar="KIND",
                help="Of the convolutions: float32, or mixed_bfloat16, for GPUs and CPUs that multiply in "
                "it; others are many times slower.",
            ),
        ] = "float32",
        h264: Annotated[
            float,
            typer.Option(
                "--h264",
                metavar="SHARE",
                min=0,
                max=1,
                help="Of the training clips that come over H.264, as from network cameras.",
            ),
        ] = 0.0,
        quick: Annotated[
            bool, typer.Option("--quick", help="Five minutes on two cores: to see it work.")
        ] = False,
        epochs: Annotated[
            int | None,
            typer.Option("--epochs", metavar="N", min=1, help="Of 250 steps; the recipe's if none."),
        ] = None,
        output: Output = Path(f"runs/{name}"),
        resume: Resume = False,
        seed: options.Seed = 1,
        json: options.Json = None,
        force: options.Force = False,
        quiet: options.Quiet = False,
    ) -> None:
        from dae_edge.runtime.load import FAMILY, model_path

        _prepare(resume, force, json, quiet)
        if start is not None and not model_path(start).is_file():
            raise BadValueError(
                f"`--start` (={start}) must be a .keras file, a run's folder or one of {', '.join(FAMILY)}."
            )
        if keep_memory and only_memory:
            raise BadValueError(
                "`--keep-memory` and `--only-memory` leave nothing to train; give one of them."
            )
        for option, asked in (("--keep-memory", keep_memory), ("--only-memory", only_memory)):
            if asked and start is None:
                raise BadValueError(f"`{option}` goes on with a trained model; give it by `--start`.")
        if learning_rate is not None and not 0 < learning_rate <= 0.1:
            raise BadValueError(f"`--learning-rate` (={learning_rate:g}) must be above 0, and 0.1 at most.")
        if h264:
            need("h264", "`--h264`")
        with hushed():
            from dae_edge.training import lowlight as training
            from dae_edge.training.progress import FitProgress

            recipe = training.RECIPES[name]
            recipe = training.keeping_memory(recipe) if keep_memory else recipe
            recipe = training.only_memory(recipe) if only_memory else recipe
            recipe = training.quick(recipe) if quick else recipe
            recipe = replace(
                recipe,
                seed=seed,
                epochs=epochs or recipe.epochs,
                learning_rate=learning_rate or recipe.learning_rate,
                data=str(data) if data else None,
                validation=str(validation) if validation else None,
                start=start,
                camera=str(camera) if camera else None,
                precision=precision,
                h264=h264,
            )
            run = training.train(
                recipe, output, resume=resume, force=force, extra=(FitProgress(out, name, recipe.epochs),)
            )
        best = max(run.rows(), key=lambda row: row["val_last_psnr"])
        out.print(
            f"validation: first frame {best['val_first_psnr']:.2f} dB, last {best['val_last_psnr']:.2f} dB "
            f"(epoch {best['epoch'] + 1:.0f})"
        )
        wrote(*(output / name for name in ("model.keras", "before_after.png", "curve.png")))
        write_json(json, best, force=force)
        next_step(f"dae-edge export {output} --format onnx-int8")


_lowlight("lowlight-s", "The streaming low-light denoiser, small, on pictures the package draws itself.")
_lowlight("lowlight", "The same, the default size.")
_lowlight("lowlight-l", "The same, large.")


def _prepare(resume: bool, force: bool, json: Path | None, quiet: bool) -> None:
    be_quiet(quiet)
    if resume and force:
        raise BadValueError("`--resume` goes on with a run and `--force` throws it away; give one of them.")
    check_json(json, force=force)
    need("train", "Training")


def _report_robustness(found: Robustness) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("sigma", "pictures", "MSE", "PSNR", "read right"):
        table.add_column(column, justify="left" if column == "pictures" else "right")
    for score in found.scores:
        table.add_row(
            f"{score.sigma:g}",
            score.pictures,
            f"{score.mse:.4f}",
            f"{score.psnr:.2f} dB",
            f"{score.read_right:.1%}",
        )
    out.print(table)
    out.print(f"of the clean digits the same classifier reads {found.clean_read_right:.1%}")
