"""Draws the program's icon as a PNG of 256 × 256, for desktops that cannot draw SVG: python packaging/draw_icon.py OUT"""

import sys
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

drawing = Path(__file__).resolve().parents[1] / "resources" / "icons" / "fixed" / "murmurscope.svg"
application = QGuiApplication([])
image = QImage(256, 256, QImage.Format.Format_ARGB32)
image.fill(0)
painter = QPainter(image)
QSvgRenderer(str(drawing)).render(painter)
painter.end()
sys.exit(not image.save(sys.argv[1]))
