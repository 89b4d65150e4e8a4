"""Charts as SVG text, drawn without a script: bars, stacked bars, lines and ranges of percentiles.

Each mark says by its data attributes which number it shows; each series has a colour (a class of
page.css), a dash and its name beside it, so that no chart depends on colours alone.
"""
import math
from dataclasses import dataclass, field
from html import escape

WIDTH = 960
LABELS = 230  # of bars, to the left
VALUES = 120  # behind the longest bar
ROW = 26


@dataclass
class Series:
    """What is drawn of one store. `key` names it in the page's data attributes and style sheet."""
    key: str
    label: str
    style: str = ""  # classes
    values: list = field(default_factory=list)
    note: str = ""  # behind a bar, instead of its number


def number(value):
    """Three digits, as far as they mean something."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3 if size >= 0.01 else 4
    return f"{value:,.{digits}f}"


def steps(top, count=5):
    """Round numbers from 0 to at least `top`."""
    rough = top / count
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999)
    return [step * i for i in range(math.ceil(top / step - 1e-9) + 1)]


class LogScale:
    """Pixels for positive numbers; `ticks` are 1, 2 and 5 of each power of ten, or its power alone."""

    def __init__(self, low, high, start, end):
        candidates = [factor * 10 ** power for power in range(-9, 10) for factor in (1, 2, 5)]
        below = [c for c in candidates if c <= low * 1.0001]
        above = [c for c in candidates if c >= high * 0.9999]
        self.low, self.high = below[-1], above[0] if above[0] > below[-1] else below[-1] * 10
        self.start, self.end = start, end
        ticks = [c for c in candidates if self.low <= c <= self.high]
        self.ticks = ticks if len(ticks) <= 9 else [c for c in ticks if math.log10(c) % 1 == 0]

    def __call__(self, value):
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)


class LinearScale:
    def __init__(self, high, start, end):
        self.ticks = steps(high) if high > 0 else [0, 1]
        self.high, self.start, self.end = self.ticks[-1], start, end

    def __call__(self, value):
        return self.start + value / self.high * (self.end - self.start)


def svg(name, title, description, height, parts):
    """`name` has to be unique in the page."""
    return (f'<svg id="{name}" role="img" viewBox="0 0 {WIDTH} {height:.0f}" aria-labelledby="{name}-t {name}-d">'
            f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>'
            + "".join(parts) + "</svg>")


def text(x, y, content, style="", anchor="start", extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}"{extra}>'
            f"{escape(content)}</text>")


def attributes(series, metric, value):
    return f'data-run="{escape(series.key)}" data-key="{metric}" data-value="{value!r}"'


def x_axis(scale, top, bottom, label):
    parts = []
    for tick in scale.ticks:
        x = scale(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
        parts.append(text(x, bottom + 18, f"{tick:,.6g}", "tick", "middle"))
    parts.append(text((scale.start + scale.end) / 2, bottom + 40, label, "axis", "middle"))
    return parts


def bars(name, title, metric, unit, series):
    """One horizontal bar for each series, of its only value."""
    top, bottom = 8, 8 + ROW * len(series)
    scale = LinearScale(max(s.values[0] for s in series), LABELS, WIDTH - VALUES)
    parts = x_axis(scale, top, bottom, unit)
    for i, s in enumerate(series):
        value = s.values[0]
        y = top + ROW * i
        parts.append(
            f'<g class="series {s.style}">{text(LABELS - 10, y + 18, s.label, "name", "end")}'
            f'<rect class="bar" x="{LABELS}" y="{y + 4}" height="{ROW - 8}" width="{scale(value) - LABELS:.2f}" '
            f'{attributes(s, metric, value)}><title>{escape(s.label)}: {number(value)} {escape(unit)}</title></rect>'
            f'{text(scale(value) + 8, y + 18, s.note or number(value), "value")}</g>')
    described = "; ".join(f"{s.label} {number(s.values[0])}" for s in series)
    return svg(name, title, f"{unit}: {described}", bottom + 50, parts)


def stacked(name, title, unit, kinds, series):
    """Bars of several parts. kinds: [(metric, label, class)]; a value may be None: not known."""
    top, bottom = 34, 34 + ROW * len(series)
    scale = LinearScale(max(sum(v or 0 for v in s.values) for s in series), LABELS, WIDTH - VALUES - 110)
    parts = []
    x = LABELS
    for _, label, style in kinds:
        parts.append(f'<rect class="part {style}" x="{x}" y="8" width="14" height="14"/>' + text(x + 20, 20, label, "tick"))
        x += 40 + 7.2 * len(label)
    parts += x_axis(scale, top, bottom, unit)
    for i, s in enumerate(series):
        y, done = top + ROW * i, 0
        parts.append(f'<g class="series {s.style}">{text(LABELS - 10, y + 18, s.label, "name", "end")}')
        for (metric, label, style), value in zip(kinds, s.values):
            if value is None:
                continue
            left = scale(done)
            done += value
            parts.append(
                f'<rect class="part {style}" x="{left:.2f}" y="{y + 4}" height="{ROW - 8}" '
                f'width="{scale(done) - left:.2f}" {attributes(s, metric, value)}>'
                f"<title>{escape(s.label)}, {escape(label)}: {number(value)} {escape(unit)}</title></rect>")
        shown = " + ".join(number(value) if value is not None else "?" for value in s.values)
        parts.append(text(scale(done) + 8, y + 18, shown, "value") + "</g>")
    described = "; ".join(
        f"{s.label}: " + ", ".join(f"{label} {number(v)}" for (_, label, _), v in zip(kinds, s.values)) for s in series)
    return svg(name, title, f"{unit}. {described}", bottom + 50, parts)


def apart(wanted, distance, low, high):
    """Places for labels near where they are wanted, in the same order, none nearer than `distance`."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = [0.0] * len(wanted)
    last = low - distance
    for i in order:
        last = places[i] = max(wanted[i], last + distance)
    limit = high
    for i in reversed(order):
        places[i] = min(places[i], limit)
        limit = places[i] - distance
    return places


def lines(name, title, metric, x_label, y_label, series, reference=None):
    """Values are (x, y) pairs; y is drawn on a logarithmic scale. `reference`: a y that means "the same"."""
    left, right, top, bottom = 76, WIDTH - 275, 12, 432
    points = [point for s in series for point in s.values]
    x_scale = LinearScale(max(x for x, _ in points), left, right)
    x_scale.high = max(x for x, _ in points)  # up to the last record: what ends earlier would look lost
    x_scale.ticks = [tick for tick in x_scale.ticks if tick <= x_scale.high]
    heights = [y for _, y in points] + ([reference] if reference else [])
    y_scale = LogScale(min(heights), max(heights), bottom, top)
    parts = x_axis(x_scale, top, bottom, x_label)
    for tick in y_scale.ticks:
        y = y_scale(tick)
        style = "grid same" if tick == reference else "grid"
        parts.append(f'<line class="{style}" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(text(left - 8, y + 4, f"{tick:,.6g}", "tick", "end"))
    parts.append(text(0, 0, y_label, "axis", "middle", f' transform="translate(16 {(top + bottom) / 2}) rotate(-90)"'))
    labels = apart([y_scale(s.values[-1][1]) for s in series], 17, top + 4, bottom)
    for s, place in zip(series, labels):
        path = " ".join(f"{x_scale(x):.1f},{y_scale(y):.1f}" for x, y in s.values)
        x_end, y_end = path.split(" ")[-1].split(",")
        parts.append(
            f'<g class="series {s.style}" data-points="{len(s.values)}" {attributes(s, metric, s.values[-1][1])}>'
            f'<title>{escape(s.label)}: {number(s.values[-1][1])}</title><polyline class="line" points="{path}"/>'
            f'<circle class="dot" cx="{x_end}" cy="{y_end}" r="3"/>'
            f'<line class="leader" x1="{x_end}" y1="{y_end}" x2="{right + 18}" y2="{place:.1f}"/>'
            f'<text class="name" x="{right + 22}" y="{place + 4:.1f}">{escape(s.label)}'
            f'<tspan class="value" dx="7">{number(s.values[-1][1])}</tspan></text></g>')
    described = "; ".join(f"{s.label} ends at {number(s.values[-1][1])}" for s in series)
    return svg(name, title, f"{y_label} over {x_label}. {described}", bottom + 50, parts)


def shape(kind, x, y):
    """One of four that can be told apart without colour."""
    if kind == 0:
        return f'<circle class="mark" cx="{x:.1f}" cy="{y}" r="5"/>'
    if kind == 1:
        return f'<rect class="mark" x="{x - 4.5:.1f}" y="{y - 4.5}" width="9" height="9"/>'
    if kind == 2:
        return f'<path class="mark" d="M{x:.1f} {y - 6}l6 10.5h-12z"/>'
    return f'<path class="mark bare" d="M{x:.1f} {y - 7}v14"/>'


def ranges(name, title, unit, kinds, series):
    """A row for each series with a mark for each of its values. kinds: [(metric, label)]"""
    top, bottom = 34, 34 + ROW * len(series)
    values = [value for s in series for value in s.values if value > 0]
    scale = LogScale(min(values), max(values), LABELS, WIDTH - 30)
    parts = []
    for i, (_, label) in enumerate(kinds):
        x = LABELS + 8 + 110 * i
        parts.append(f'<g class="legend">{shape(i, x, 14)}{text(x + 14, 19, label, "tick")}</g>')
    parts += x_axis(scale, top, bottom, unit)
    for i, s in enumerate(series):
        y = top + ROW * i + ROW / 2
        parts.append(
            f'<g class="series {s.style}">{text(LABELS - 10, y + 5, s.label, "name", "end")}'
            f'<line class="span" x1="{scale(s.values[0]):.1f}" x2="{scale(s.values[-1]):.1f}" y1="{y}" y2="{y}"/>')
        for kind, ((metric, label), value) in enumerate(zip(kinds, s.values)):
            parts.append(f"<g {attributes(s, metric, value)}><title>{escape(s.label)}, {label}: {number(value)} "
                         f"{escape(unit)}</title>{shape(kind, scale(value), y)}</g>")
        parts.append("</g>")
    described = "; ".join(
        f"{s.label}: " + ", ".join(f"{label} {number(v)}" for (_, label), v in zip(kinds, s.values)) for s in series)
    return svg(name, title, f"{unit}, logarithmic. {described}", bottom + 50, parts)
