import pytest

from dae_edge import errors


def test_missing_extra_says_what_to_type() -> None:
    failure = errors.MissingExtraError("Exporting", "export")
    assert str(failure) == 'Exporting needs the [export] extra: pip install "dae-edge[export]"'
    assert isinstance(failure, ImportError)


@pytest.mark.parametrize("kind", [errors.BadValueError, errors.FrameError])
def test_bad_use_ends_with_2_and_is_a_value_error(kind: type[errors.DaeEdgeError]) -> None:
    assert kind.exit_code == 2
    assert issubclass(kind, ValueError)


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = errors.__doc__ or ""
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.DaeEdgeError):
            assert name in drawn
