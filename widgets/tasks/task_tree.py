"""Parts under their whole: the order and the depth of tasks in a tree."""

from collections.abc import Sequence

from models.domain.task_queries import TaskItem

Key = tuple[str, str]


def key_of(item: TaskItem) -> Key:
    """Tells a task from another: agents choose the ids of those that only they report."""
    return item.task, "" if item.given else item.agent


class TaskTree:
    """Arranges tasks that are listed in some order: each whole where it was, its parts behind it in that order. Who is a part of
    itself, by however many steps, and whose whole is not listed stands where it was, without depth."""

    def __init__(self) -> None:
        self.folded: set[Key] = set()
        """Wholes whose parts are not to be listed."""
        self.depth: dict[Key, int] = {}
        self.parts: dict[Key, int] = {}
        """How many parts are listed of it, or would be were it not folded."""

    def arrange(self, items: Sequence[TaskItem]) -> list[TaskItem]:
        """Every task once."""
        wholes: dict[str, Key] = {}
        for one in items:
            if one.given or one.task not in wholes:
                wholes[one.task] = key_of(one)
        below: dict[Key, list[TaskItem]] = {}
        tops = []
        for one in items:
            whole = wholes.get(one.parent) if one.parent else None
            if whole is None or whole == key_of(one):
                tops.append(one)
            else:
                below.setdefault(whole, []).append(one)
        self.parts = {whole: len(parts) for whole, parts in below.items()}
        self.depth = {}
        arranged = self._walk(tops, below)
        if len(self.depth) < len(items):  # those that are left are parts of each other
            arranged += self._flat(items)
        return arranged

    def _walk(self, tops: Sequence[TaskItem], below: dict[Key, list[TaskItem]]) -> list[TaskItem]:
        arranged = []
        waiting = [(one, 0, True) for one in reversed(tops)]
        while waiting:
            one, depth, listed = waiting.pop()
            key = key_of(one)
            self.depth[key] = depth
            if listed:
                arranged.append(one)
            listed = listed and key not in self.folded
            waiting += [(part, depth + 1, listed) for part in reversed(below.get(key, ()))]
        return arranged

    def _flat(self, items: Sequence[TaskItem]) -> list[TaskItem]:
        left = [one for one in items if key_of(one) not in self.depth]
        for one in left:
            self.depth[key_of(one)] = 0
            self.parts.pop(key_of(one), None)
        return left
