"""In which units Telegraf's own plugins tell what they measure; of other fields their names tell, or nothing does."""

from functools import lru_cache

from models.domain.names import SeriesKind
from mqtt.reading.units import unit_of

_GAUGE, _COUNTER = SeriesKind.GAUGE, SeriesKind.COUNTER
_Told = tuple[str, SeriesKind]

_FIELDS: dict[str, dict[str, _Told]] = {}
for _plugins, _unit, _kind, _names in (
    ("mem", "By", _GAUGE, "active available buffered cached commit_limit committed_as dirty free high_free high_total"),
    ("mem", "By", _GAUGE, "huge_page_size inactive laundry low_free low_total mapped page_tables shared slab sreclaimable"),
    ("mem", "By", _GAUGE, "sunreclaim swap_cached swap_free swap_total total used vmalloc_chunk vmalloc_total vmalloc_used"),
    ("mem", "By", _GAUGE, "wired write_back write_back_tmp"),
    ("swap disk", "By", _GAUGE, "total used free"),
    ("swap", "By", _COUNTER, "in out"),
    ("diskio procstat", "By", _COUNTER, "read_bytes write_bytes"),
    ("diskio", "", _COUNTER, "reads writes merged_reads merged_writes"),
    ("diskio", "ms", _COUNTER, "read_time write_time io_time weighted_io_time"),
    ("net docker_container_net", "By", _COUNTER, "bytes_sent bytes_recv rx_bytes tx_bytes"),
    ("net docker_container_net", "", _COUNTER,
     "packets_sent packets_recv err_in err_out drop_in drop_out rx_packets tx_packets rx_errors tx_errors rx_dropped tx_dropped"),
    ("system", "s", _GAUGE, "uptime"),
    ("kernel", "", _COUNTER, "context_switches interrupts processes_forked disk_pages_in disk_pages_out"),
    ("procstat", "By", _GAUGE,
     "memory_rss memory_vms memory_swap memory_data memory_stack memory_locked memory_shared memory_text memory_uss memory_pss"),
    ("procstat", "%", _GAUGE, "cpu_usage memory_usage"),
    ("procstat", "s", _COUNTER, "cpu_time cpu_time_user cpu_time_system"),
    ("docker_container_mem", "By", _GAUGE, "usage max_usage limit cache rss total_rss total_cache"),
    ("net_response http_response", "s", _GAUGE, "response_time"),
    ("http_response", "By", _GAUGE, "content_length"),
    ("temp", "Cel", _GAUGE, "temp high critical"),
    ("sensors", "Cel", _GAUGE, "temp_input temp_max temp_crit"),
    ("nvidia_smi", "MiBy", _GAUGE, "memory_total memory_used memory_free memory_reserved"),
    ("nvidia_smi", "%", _GAUGE, "utilization_gpu utilization_memory fan_speed"),
    ("nvidia_smi", "Cel", _GAUGE, "temperature_gpu"),
    ("nvidia_smi", "W", _GAUGE, "power_draw"),
    ("internal_memstats", "By", _GAUGE, "alloc_bytes heap_alloc_bytes heap_in_use_bytes heap_sys_bytes sys_bytes"),
):  # fmt: skip
    for _plugin in _plugins.split():
        _FIELDS.setdefault(_plugin, {}).update(dict.fromkeys(_names.split(), (_unit, _kind)))

MEASUREMENTS = frozenset(("cpu", "processes", "netstat", "ping", "dns_query", "docker", *_FIELDS))
"""Names of plugins that most hosts run."""


@lru_cache(4_096)
def unit_in_telegraf(measurement: str, field: str) -> _Told:
    """Unit and kind of a field."""
    known = _FIELDS.get(measurement, {}).get(field)
    if known is not None:
        return known
    if measurement == "cpu" and field.startswith("usage_"):
        return "%", _GAUGE
    if measurement == "cpu" and field.startswith("time_"):
        return "s", _COUNTER
    if field.startswith("percent_"):
        return "%", _GAUGE
    return unit_of(field)
