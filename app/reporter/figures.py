"""Figures of this computer and of groups of its processes, in OpenTelemetry's names and base units."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import psutil


def host_figures() -> dict[str, float]:
    """Of the whole computer. CPU is the share used since the call before; the first call says nothing."""
    memory = psutil.virtual_memory()
    network = psutil.net_io_counters()
    figures = {
        "system.cpu.utilization": psutil.cpu_percent() / 100,
        "system.memory.usage": float(memory.total - memory.available),
        "system.memory.utilization": (memory.total - memory.available) / memory.total,
        "system.cpu.load_average.1m": psutil.getloadavg()[0],
        "system.uptime": time.time() - psutil.boot_time(),
    }
    if network is not None:  # a computer without any network interface has none
        figures["system.network.io.receive"] = float(network.bytes_recv)
        figures["system.network.io.transmit"] = float(network.bytes_sent)
    return figures


@dataclass(slots=True)
class _Group:
    """Processes of one name, summed."""

    cpu_s: float = 0.0  # used since the sample before
    memory_bytes: float = 0.0
    threads: int = 0
    processes: int = 0


@dataclass(slots=True)
class ProcessTable:
    """Looks at all processes and sums them by name. One thread.

    `named` are processes shown under a name of their own instead: {pid: name}.
    """

    named: dict[int, str] = field(default_factory=dict)
    groups: dict[str, _Group] = field(default_factory=dict)
    _cpu_s: dict[tuple[int, float], float] = field(default_factory=dict)
    _taken_s: float = 0.0
    _elapsed_s: float = 0.0
    _recent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def look(self) -> None:
        """Take a sample. A process that ends while it is looked at, or that hides its figures, is left out."""
        now_s = time.monotonic()
        self._elapsed_s, self._taken_s = now_s - self._taken_s if self._taken_s else 0.0, now_s
        cpu_s: dict[tuple[int, float], float] = {}
        groups: dict[str, _Group] = defaultdict(_Group)
        for process in psutil.process_iter(
            ("pid", "ppid", "name", "create_time", "cpu_times", "memory_info", "num_threads")
        ):
            info = process.info
            if info["cpu_times"] is None or info["memory_info"] is None or 2 in (info["pid"], info["ppid"]):
                continue  # hidden from us, or a thread of the kernel
            identity = (info["pid"], info["create_time"])
            cpu_s[identity] = info["cpu_times"].user + info["cpu_times"].system
            group = groups[self.named.get(info["pid"]) or info["name"] or f"pid-{info['pid']}"]
            group.cpu_s += max(0.0, cpu_s[identity] - self._cpu_s.get(identity, cpu_s[identity]))
            group.memory_bytes += info["memory_info"].rss
            group.threads += info["num_threads"] or 0
            group.processes += 1
        for name, group in groups.items():
            self._recent[name] += group.cpu_s
        self._cpu_s, self.groups = cpu_s, dict(groups)

    def busiest(self, count: int) -> list[str]:
        """Names that used most CPU since the last call of this, memory deciding between equals; `named` ones are left out."""
        own = set(self.named.values())
        names = [name for name in self.groups if name not in own]
        names.sort(key=lambda name: (-round(self._recent[name], 2), -self.groups[name].memory_bytes, name))
        self._recent.clear()
        return names[:count]

    def figures(self, name: str) -> dict[str, float] | None:
        """Figures of one name; None when no such process runs. CPU is the share of all processors since the sample before,
        absent after the first one."""
        group = self.groups.get(name)
        if group is None:
            return None
        figures = {
            "process.memory.usage": group.memory_bytes,
            "process.thread.count": float(group.threads),
            "process.count": float(group.processes),
        }
        if self._elapsed_s:
            figures["process.cpu.utilization"] = min(1.0, group.cpu_s / self._elapsed_s / (psutil.cpu_count() or 1))
        return figures


def missing(pids: Iterable[int]) -> list[int]:
    """Which of these processes do not run any more."""
    return [pid for pid in pids if not psutil.pid_exists(pid)]
