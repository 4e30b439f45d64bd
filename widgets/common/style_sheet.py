"""The one style sheet, made from tokens. Fusion with our palette does the rest."""

from string import Template

from models.domain.resources import resource_path
from widgets.common.tokens import Theme

_FIXED_ICONS = resource_path("icons", "fixed").as_posix()
"""Marks that a style sheet names by file, so that they cannot be tinted."""

# Roles are dynamic properties, so that a widget says what it is and not how it looks.
_SHEET = Template("""
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 3px 5px; }
QMenuBar { background: $window; border-bottom: 1px solid $line; padding: 1px 4px; }
QMenuBar::item { padding: 3px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $raised; }
QMenu { background: $surface; border: 1px solid $edge; padding: 4px; }
QMenu::item { padding: 4px 24px 4px 8px; border-radius: 4px; }
QMenu::icon { padding-left: 6px; }
QMenu::indicator { width: 14px; height: 14px; left: 5px; }
QMenu::indicator:checked { background: $accent; border-radius: 4px; image: url("$icons/check-$name.svg"); }
QMenu::item:selected { background: $selection; color: $selection_text; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $line; margin: 4px 6px; }
QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }

QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QPushButton, QToolButton[role="button"] {
    background: $surface; border: 1px solid $edge; border-radius: 5px; padding: 3px 10px; min-height: 18px; color: $text;
}
QToolButton[role="button"] { padding: 3px 8px; }
QPushButton:hover, QToolButton[role="button"]:hover { background: $raised; }
QPushButton:pressed, QToolButton[role="button"]:pressed { background: $line; }
QPushButton:checked, QToolButton[role="button"]:checked { background: $selection; color: $selection_text; border-color: $accent; }
QPushButton:focus, QToolButton[role="button"]:focus { border-color: $accent; }
QPushButton:disabled, QToolButton[role="button"]:disabled { color: $muted; background: $window; border-color: $line; }
QPushButton:default, QPushButton[role="primary"] { background: $accent; border-color: $accent; color: $accent_text; }
QPushButton:default:hover, QPushButton[role="primary"]:hover { border-color: $text; }
QPushButton:default:focus, QPushButton[role="primary"]:focus { border-color: $text; }
QPushButton:default:disabled, QPushButton[role="primary"]:disabled { background: $raised; border-color: $line; color: $muted; }

QToolButton[role="flat"] { background: transparent; border: 1px solid transparent; border-radius: 5px; padding: 3px; }
QToolButton[role="flat"]:hover { background: $raised; }
QToolButton[role="flat"]:pressed, QToolButton[role="flat"]:checked { background: $selection; color: $selection_text; }
QToolButton[role="flat"]:focus { border-color: $accent; }
QToolButton[role="chip"]::menu-indicator { image: none; width: 0; }

QToolButton[role="segment"] {
    background: $surface; border: 1px solid $edge; border-left-width: 0; padding: 3px 7px; min-height: 18px; color: $muted;
}
QToolButton[role="segment"][place="first"] {
    border-left-width: 1px; border-top-left-radius: 5px; border-bottom-left-radius: 5px;
}
QToolButton[role="segment"][place="last"] { border-top-right-radius: 5px; border-bottom-right-radius: 5px; }
QToolButton[role="segment"]:hover { background: $raised; color: $text; }
QToolButton[role="segment"]:checked { background: $selection; color: $selection_text; }
QToolButton[role="segment"]:focus { color: $accent; text-decoration: underline; }

QWidget[role="rail"] { background: $window; border-right: 1px solid $line; }
QToolButton[role="rail"] {
    background: transparent; border: 1px solid transparent; border-radius: 7px; color: $muted; padding: 5px 0 4px 0;
}
QToolButton[role="rail"]:hover { background: $raised; color: $text; }
QToolButton[role="rail"]:checked { background: $selection; color: $selection_text; }
QToolButton[role="rail"]:focus { border-color: $accent; }

QWidget[role="bar"] { background: $window; border-bottom: 1px solid $line; }
QWidget[role="foot"] { background: $window; border-top: 1px solid $line; }
QWidget[role="side"] { background: $surface; }
QWidget[role="panel-header"] { background: $surface; border-top: 2px solid $surface; }
QWidget[role="panel-header"][state="chosen"] { border-top: 2px solid $accent; }
QWidget[role="notice"][severity="error"] { background: $surface; border-bottom: 1px solid $line; border-left: 3px solid $error; }
QWidget[role="notice"][severity="warning"] { background: $surface; border-bottom: 1px solid $line; border-left: 3px solid $warning; }
QWidget[role="notice"][severity="info"] { background: $surface; border-bottom: 1px solid $line; border-left: 3px solid $accent; }

QToolButton[role="chip"] {
    background: transparent; border: 1px solid $line; border-radius: 11px; padding: 2px 4px 2px 8px; color: $text;
}
QToolButton[role="chip"]:hover { background: $raised; }
QToolButton[role="chip"]:checked { background: $selection; color: $selection_text; border-color: $accent; }
QToolButton[role="chip"]:focus { border-color: $accent; }
QToolButton[role="chip"][state="warning"] { border-color: $warning; }
QToolButton[role="chip"][state="error"] { border-color: $error; }

QToolButton[role="pill"] {
    background: $selection; border: 1px solid $selection; border-radius: 10px; padding: 1px 22px 1px 9px; color: $selection_text;
}
QToolButton[role="pill"]::menu-button { border: 0; width: 18px; }
QToolButton[role="pill"]::menu-arrow { image: url("$icons/arrow-down.svg"); width: 10px; height: 10px; }
QToolButton[role="pill"][state="not"] { background: $surface; border-color: $error; color: $error; }
QToolButton[role="pill"][state="off"] { background: transparent; border: 1px dashed $edge; color: $muted; }
QToolButton[role="pill"]:hover, QToolButton[role="pill"]:focus { border-color: $accent; }

QToolButton[role="figure"] {
    background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 0 5px; color: $muted;
}
QToolButton[role="figure"]:focus { border-color: $accent; }
QToolButton[role="figure"][state="warning"] { color: $warning; font-weight: bold; }
QFrame[role="popup"] { background: $surface; border: 1px solid $edge; border-radius: 0; }

QLabel[role="label"] { background: $raised; border-radius: 11px; padding: 4px 10px; color: $accent; }
QLabel[tone="muted"] { color: $muted; }
QLabel[tone="warning"] { color: $warning; }
QLabel[tone="error"] { color: $error; }
QLabel[tone="good"] { color: $good; }

QLineEdit { background: $surface; border: 1px solid $edge; border-radius: 5px; padding: 2px 6px; min-height: 20px; }
QLineEdit:focus { border-color: $accent; }
QLineEdit:disabled { color: $muted; background: $window; border-color: $line; }
QLineEdit[state="error"] { border-color: $error; }
QListView[role="completions"] { background: $surface; border: 1px solid $edge; padding: 1px; }
QListView[role="completions"]::item { padding: 3px 5px; }

QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $edge; }
QSlider::sub-page:horizontal { border-radius: 2px; background: $accent; }
QSlider::handle:horizontal {
    width: 12px; margin: -5px 0; border: 1px solid $accent; border-radius: 7px; background: $surface;
}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $accent; border-color: $text; }

QComboBox, QAbstractSpinBox {
    background: $surface; border: 1px solid $edge; border-radius: 5px; padding: 2px 4px 2px 7px; min-height: 20px;
}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: 0; padding: 0 0 0 1px; min-height: 0; background: transparent; }
QComboBox:hover { background: $raised; }
QComboBox:focus, QAbstractSpinBox:focus { border-color: $accent; }
QComboBox:disabled, QAbstractSpinBox:disabled { color: $muted; background: $window; border-color: $line; }
QComboBox::drop-down, QDateTimeEdit::drop-down { border: 0; width: 20px; subcontrol-position: center right; }
QComboBox::down-arrow, QDateTimeEdit::down-arrow { image: url("$icons/arrow-down.svg"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $surface; border: 1px solid $edge; padding: 3px; outline: 0; }
QSpinBox::up-button, QDoubleSpinBox::up-button { border: 0; width: 18px; subcontrol-position: top right; }
QSpinBox::down-button, QDoubleSpinBox::down-button { border: 0; width: 18px; subcontrol-position: bottom right; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url("$icons/arrow-up.svg"); width: 10px; height: 10px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url("$icons/arrow-down.svg"); width: 10px; height: 10px; }
QCheckBox { spacing: 6px; }
QCheckBox::indicator {
    width: 14px; height: 14px; border: 1px solid $muted; border-radius: 4px; background: $surface;
}
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$icons/check-$name.svg"); }
QCheckBox::indicator:focus { border-color: $text; }
QCheckBox::indicator:disabled { border-color: $edge; }

QRadioButton { spacing: 6px; }
QRadioButton::indicator {
    width: 14px; height: 14px; border: 1px solid $muted; border-radius: 8px; background: $surface;
}
QRadioButton::indicator:checked {
    width: 6px; height: 6px; border: 5px solid $accent; border-radius: 8px; background: $accent_text;
}
QRadioButton::indicator:focus { border-color: $text; }
QRadioButton::indicator:disabled { border-color: $edge; }

QProgressBar { background: $line; border: 0; }
QProgressBar::chunk { background: $accent; }

QTabWidget::pane { border: 0; border-top: 1px solid $line; }
QTabBar { qproperty-drawBase: 0; }
QTabBar::tab {
    background: transparent; color: $muted; border: 0; border-bottom: 2px solid transparent; padding: 5px 12px 4px 12px;
}
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar:focus { outline: 0; }
QTabBar::tab:selected:focus { background: $selection; color: $selection_text; }

QTableView, QTreeView, QListView { border: 0; outline: 0; }
QTreeView[role="contents"]::item, QListView[role="contents"]::item { padding: 3px 4px; }
QTableView::item { padding: 0 3px; }  /* and the 3 px that every item has */
QHeaderView { background: $surface; border: 0; }
QHeaderView::section {
    background: $surface; color: $muted; border: 0; border-bottom: 1px solid $line; padding: 4px 6px; font-weight: normal;
}
QHeaderView::section:hover { background: $raised; color: $text; }

QAbstractScrollArea::corner { background: transparent; border: 0; }
QScrollBar:vertical { background: transparent; width: 11px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 11px; margin: 0; }
QScrollBar::handle { background: $edge; border-radius: 3px; }
QScrollBar::handle:vertical { min-height: 28px; margin: 2px 2px 2px 3px; }
QScrollBar::handle:horizontal { min-width: 28px; margin: 3px 2px 2px 2px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")


def style_sheet(theme: Theme) -> str:
    """The sheet with the theme's colours in place."""
    return _SHEET.substitute({name: getattr(theme, name) for name in Theme.__slots__}, icons=_FIXED_ICONS)
