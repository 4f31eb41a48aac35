"""Everything that the steps share."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from drill.clusters import Cluster
from drill.product import Product
from drill.webhooks import PersistentSender
from tests.provider_server import ProviderServer

LOG_LINES = 5


@dataclass
class Scene:
    """Two clusters, the product on each of them, and the provider. The stack ends them all."""

    folder: Path
    stack: ExitStack
    provider: ProviderServer = field(init=False)
    primary: Cluster = field(init=False)
    second: Cluster = field(init=False)
    live: Product = field(init=False)
    restored: Product = field(init=False)
    pooled: Product = field(init=False)
    pooler: Path = field(init=False)
    """Folder of its socket."""
    standby: Cluster = field(init=False)
    persistent: PersistentSender = field(init=False)
    campaign: int = 0
    """ID of the campaign."""
    texted: set[int] = field(default_factory=set)
    """IDs of the contacts that a message was queued for."""

    def start_cluster(self, cluster: Cluster) -> Cluster:
        return self.stack.enter_context(cluster)

    def install(self, name: str, *, url: str, direct_url: str = "") -> Product:
        """Return the product with its processes on this database; none is started yet."""
        product = Product(name, folder=self.folder, provider_url=self.provider.url, url=url, direct_url=direct_url)
        return self.stack.enter_context(product)

    def without_folders(self, text: str) -> str:
        return text.replace(f"{self.folder}/", "")

    def log_ends(self) -> str:
        """Return the last lines of each process's log."""
        ends = [(log.stem, log.read_text().splitlines()[-LOG_LINES:]) for log in sorted(self.folder.glob("*.log"))]
        return "\n".join(f"       {name}: {line}" for name, lines in ends for line in lines)
