//! `thirdtrail activity`: the single calls of a run, for people, programs and spreadsheets.

use std::borrow::Cow;
use std::io::{BufWriter, Write, stdout};

use clap::{Args, ValueEnum};
use console::{Alignment, measure_text_width, pad_str, truncate_str};

use crate::aws::window::Time;
use crate::policy::diff::hides;
use crate::run::activity::{
    ActivityRow, HEADS, Question, Stopped, WIDTHS, activity, cells, csv_cells, csv_heads, csv_line,
};

use super::args::{AwsArguments, time};
use super::exit_code::ExitCode;
use super::terminal::{note, plain, width};

/// Arguments of `activity`.
#[derive(Debug, Args)]
pub(super) struct ActivityArguments {
    /// The output of `analyze`: a folder, or `s3://bucket/prefix`.
    pub(super) out: String,
    /// Only of this party: its id, or its name, which several parties may have.
    #[arg(long)]
    pub(super) party: Option<String>,
    /// Only in this role: its ARN or its name; `*` and `?` stand for any characters and for one.
    #[arg(long)]
    pub(super) role: Option<String>,
    /// Only calls that use this IAM action (`s3:GetObject`, `s3:*`), or to this API (`GetObject`).
    #[arg(long)]
    pub(super) action: Option<String>,
    /// From this time on (date or RFC 3339).
    #[arg(long, value_parser = time)]
    pub(super) since: Option<Time>,
    /// Before this time (date or RFC 3339).
    #[arg(long, value_parser = time)]
    pub(super) until: Option<Time>,
    /// Only refused calls.
    #[arg(long)]
    pub(super) denied: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ActivityFormat::Table)]
    pub(super) format: ActivityFormat,
    #[command(flatten)]
    pub(super) aws: AwsArguments,
}

/// How to print calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum ActivityFormat {
    /// For people: the columns that matter most.
    Table,
    /// An array of objects, one a line.
    Json,
    /// For spreadsheets; cells that one would take for a formula begin with an apostrophe.
    Csv,
}

pub(super) fn run(arguments: &ActivityArguments) -> anyhow::Result<ExitCode> {
    let question = Question {
        out: arguments.out.clone(),
        party: arguments.party.clone(),
        role: arguments.role.clone(),
        action: arguments.action.clone(),
        since: arguments.since,
        until: arguments.until,
        denied: arguments.denied,
    };
    let mut printer =
        Printer { format: arguments.format, rows: 0, width: width(), out: BufWriter::new(stdout().lock()) };
    let shown = activity(&question, &arguments.aws.options(), |rows| printer.print(&rows));
    let answer = shown.map_err(|stopped| match stopped {
        Stopped::Mistake(mistake) => anyhow::Error::from(mistake),
        Stopped::Show(error) => error.into(),
    })?;
    printer.finish()?;
    if printer.rows == 0 && arguments.format == ActivityFormat::Table {
        note("no such calls");
    }
    answer.notes.iter().for_each(|text| note(&plain(text)));
    Ok(if answer.complete { ExitCode::Done } else { ExitCode::Incomplete })
}

/// JSON as it is, but for characters that a terminal would obey: these can only stand within its texts.
fn escaped(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if hides(c) && c != ' ' {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}")));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Prints rows as they come.
struct Printer<W: Write> {
    format: ActivityFormat,
    rows: u64,
    /// That of the terminal, if there is one.
    width: Option<usize>,
    out: W,
}

impl<W: Write> Printer<W> {
    fn print(&mut self, rows: &[ActivityRow]) -> std::io::Result<()> {
        for row in rows {
            if self.rows == 0 {
                self.begin()?;
            }
            match self.format {
                ActivityFormat::Table => self.table_line(&cells(row))?,
                ActivityFormat::Json => {
                    self.out.write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
                    self.out.write_all(escaped(&serde_json::to_string(row)?).as_bytes())?;
                }
                ActivityFormat::Csv => self.out.write_all(&csv_line(csv_cells(row)))?,
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn begin(&mut self) -> std::io::Result<()> {
        match self.format {
            ActivityFormat::Table => self.table_line(&HEADS.map(str::to_owned)),
            ActivityFormat::Json => self.out.write_all(b"["),
            ActivityFormat::Csv => self.out.write_all(&csv_line(csv_heads())),
        }
    }

    /// On a terminal each column is cut to its width and the last one to what is left; elsewhere nothing is cut.
    fn table_line(&mut self, cells: &[String; HEADS.len()]) -> std::io::Result<()> {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(WIDTHS) {
            let room =
                self.width.map(|all| if width > 0 { width } else { all.saturating_sub(measure_text_width(&line)) });
            let cell = room.map_or(Cow::Borrowed(cell.as_str()), |room| truncate_str(cell, room, "…"));
            line.push_str(&pad_str(&cell, width, Alignment::Left, None));
            line.push_str("  ");
        }
        writeln!(self.out, "{}", line.trim_end())
    }

    fn finish(&mut self) -> std::io::Result<()> {
        match (self.format, self.rows) {
            (ActivityFormat::Json, 0) => self.out.write_all(b"[]\n")?,
            (ActivityFormat::Json, _) => self.out.write_all(b"\n]\n")?,
            (ActivityFormat::Csv, 0) => self.begin()?,
            _ => {}
        }
        self.out.flush()
    }
}
