//! Charts as inline SVG: what was granted and used by service, calls by day, uses by action and day.
//!
//! Drawn by plotters, whose SVG has no style of its own: colours are the light ones as attributes, and the pages' style
//! finds them there and puts the dark ones in their place. Texts are escaped by its writer, and made visible here (S43).
//! Each chart says in words what it shows, for those who cannot see it.

mod days;
mod heat;
mod services;

use std::fmt;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::escape::visible;

pub(super) use days::days;
pub(super) use heat::heat;
pub(super) use services::{Service, services};

/// A chart that was drawn.
pub(super) struct Chart {
    /// The SVG, safe to stand in a page.
    pub(super) svg: Svg,
    /// What it shows, in words.
    pub(super) label: String,
}

/// SVG text of our own making.
pub(super) struct Svg(String);

impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The area that charts are drawn on.
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Why a chart could not be drawn: text takes everything, so this is a bug.
pub(super) type DrawError = Box<dyn std::error::Error + Send + Sync>;

/// Width of every chart, in pixels of its own.
const WIDTH: u32 = 920;
/// Size of its letters; the writer divides by 1.24.
const LETTERS: f64 = 12.0 * 1.24;

/// Colours by what they mean; `style.css` has the same ones with their dark counterparts.
mod paint {
    use plotters::style::RGBColor;

    pub(super) const TEXT: RGBColor = RGBColor(0x4B, 0x55, 0x63);
    pub(super) const GRID: RGBColor = RGBColor(0xE2, 0xE5, 0xE9);
    pub(super) const USED: RGBColor = RGBColor(0x2F, 0x7F, 0x6E);
    pub(super) const UNUSED: RGBColor = RGBColor(0xE3, 0xB5, 0x5B);
    pub(super) const DANGER: RGBColor = RGBColor(0xC0, 0x3D, 0x37);
    pub(super) const UNSEEN: RGBColor = RGBColor(0xB4, 0xBC, 0xC6);
    pub(super) const NO_DATA: RGBColor = RGBColor(0xEC, 0xEE, 0xF1);
    pub(super) const HEAT: [RGBColor; 5] = [
        RGBColor(0xC9, 0xE4, 0xDD),
        RGBColor(0x94, 0xCB, 0xBD),
        RGBColor(0x5C, 0xAB, 0x99),
        RGBColor(0x2E, 0x7E, 0x6D),
        RGBColor(0x14, 0x53, 0x46),
    ];
    #[cfg(test)]
    pub(super) const ALL: [RGBColor; 12] =
        [TEXT, GRID, USED, UNUSED, DANGER, UNSEEN, NO_DATA, HEAT[0], HEAT[1], HEAT[2], HEAT[3], HEAT[4]];
}

/// Draws on an empty area of that height.
fn draw(height: u32, label: String, on: impl FnOnce(&Area<'_>) -> Result<(), DrawError>) -> Result<Chart, DrawError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        on(&area)?;
        area.present().map_err(told)?;
    }
    // What is so anyway, on every one of thousands of marks; no text of anybody can hold a bare quote.
    let svg = svg.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
    Ok(Chart { svg: Svg(svg), label })
}

/// An error as it is told; the drawing library's own type holds what threads may not share.
fn told(error: impl fmt::Display) -> DrawError {
    error.to_string().into()
}

/// A filled rectangle from its upper left corner, at least one pixel wide and high.
fn rect(area: &Area<'_>, at: (i32, i32), size: (i32, i32), color: RGBColor) -> Result<(), DrawError> {
    let end = (at.0 + size.0.max(1), at.1 + size.1.max(1));
    area.draw(&Rectangle::new([at, end], color.filled())).map_err(told)
}

/// One line of text: `anchor` says which of its ends lies at the point.
fn text(area: &Area<'_>, at: (i32, i32), anchor: HPos, words: &str) -> Result<(), DrawError> {
    let style = ("sans-serif", LETTERS).into_font().color(&paint::TEXT).pos(Pos::new(anchor, VPos::Center));
    let shown: String = words.chars().map(visible).collect();
    area.draw(&Text::new(shown, at, style)).map_err(told)
}

/// A part of `length` pixels for `value` of `most`; something that is there is seen.
fn scaled(value: u64, most: u64, length: i32) -> i32 {
    if value == 0 || most == 0 {
        return 0;
    }
    ((value as f64 / most as f64 * f64::from(length)).round() as i32).max(1)
}

/// The name, cut to so many characters.
fn short(name: &str, most: usize) -> String {
    super::words::cut(name, most).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: &str = include_str!("../templates/style.css");

    /// Every colour of the charts has its counterpart for the dark.
    #[test]
    fn the_style_knows_every_colour() {
        for RGBColor(r, g, b) in paint::ALL {
            let attribute = format!("=\"#{r:02X}{g:02X}{b:02X}\"]");
            assert!(STYLE.contains(&attribute), "style.css does not restyle {attribute}");
        }
    }

    /// S43: a name in a chart is neither markup nor able to turn what follows it, and nothing is styled inline.
    #[test]
    fn names_in_charts_are_harmless() {
        let chart = draw(20, String::new(), |area| {
            text(area, (0, 10), HPos::Left, "</text><script>x</script>\"'&\u{202e}\u{1b}")
        });
        let svg = chart.unwrap_or_else(|error| panic!("{error}")).svg.to_string();
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script") && !svg.contains("style="), "{svg}");
        assert!(!svg.contains(['\u{202e}', '\u{1b}']), "{svg}");
    }

    #[test]
    fn what_is_there_is_seen() {
        assert_eq!((scaled(0, 9, 100), scaled(1, 100_000, 100), scaled(9, 9, 100)), (0, 1, 100));
    }
}
