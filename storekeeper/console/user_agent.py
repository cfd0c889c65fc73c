"""What a browser calls itself, in words that its owner knows."""

PROGRAMS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS X": "a Mac",
    "Linux": "Linux",
}
SHOWN = 40


def device(agent: str) -> str:
    """`Firefox on Windows`; of what is no browser, as much of its own words as fits."""
    program = _find(agent, PROGRAMS) if agent.startswith("Mozilla/") else ""
    if not program:
        return agent[:SHOWN] or "Unknown"
    system = _find(agent, SYSTEMS)
    return f"{program} on {system}" if system else program


def _find(agent: str, known: dict[str, str]) -> str:
    return next((name for mark, name in known.items() if mark in agent), "")
