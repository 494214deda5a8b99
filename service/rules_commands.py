"""x"""
import typer
rules = typer.Typer(name="rules", help="The rules: browse, check, run their examples, compare two packs.")
@rules.command()
def list_() -> None:
    """l"""
@rules.command()
def list2_() -> None:
    """l"""
