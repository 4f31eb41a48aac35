"""A restored copy with the keys of another installation."""

from drill.observations import Skipped, require
from drill.product import Product
from drill.scene import Scene

OTHER_KEY = "the-privacy-key-of-another-installation"


def start_web(scene: Scene) -> str:
    """Start the web server on the restored copy with another PRIVACY_KEY."""
    return see_refusal(copy_of(scene), "web")


def start_worker(scene: Scene) -> str:
    """Start a worker on the restored copy with another PRIVACY_KEY."""
    return see_refusal(copy_of(scene), "worker")


def copy_of(scene: Scene) -> Product:
    if not hasattr(scene, "restored"):
        raise Skipped("nothing was restored")
    return scene.restored


def see_refusal(product: Product, kind: str) -> str:
    start = product.start_web if kind == "web" else product.start_worker
    status = start(PRIVACY_KEY=OTHER_KEY).wait(timeout=60)
    lines = [line for line in product.log_of(kind).splitlines() if "PRIVACY_KEY" in line]
    require(status != 0 and bool(lines), f"ended with {status}, and its log doesn't name PRIVACY_KEY")
    return f"exit status {status}: {lines[-1]}"


STEPS = (start_web, start_worker)
