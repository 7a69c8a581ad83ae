//! `thirdtrail activity`: the single calls of a run, for people, programs and spreadsheets.

use std::io::{BufWriter, Write, stdout};

use clap::{Args, ValueEnum};

use crate::aws::window::Time;
use crate::policy::diff::hides;
use crate::run::activity::{
    ActivityRow, HEADS, Question, Stopped, WIDTHS, activity, cells, csv_cells, csv_heads, csv_line,
};

use super::args::{AwsArguments, time};
use super::exit_code::ExitCode;
use super::ink::Ink;
use super::table::{Cell, Column, Layout};
use super::terminal::{note, plain, width};

/// How little of each column is of use on a narrow terminal, in the order of [`HEADS`].
const LEAST: [usize; HEADS.len()] = [20, 8, 10, 24, 7, 15, 10];
/// Which column says how a call ended.
const OUTCOME: usize = 4;

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
    let out = BufWriter::new(stdout().lock());
    let mut printer = Printer { format: arguments.format, rows: 0, layout: layout(width()), out };
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

/// The table in as much room as there is; the last column takes what is left of it.
fn layout(room: Option<usize>) -> Layout {
    let columns: Vec<Column> = HEADS.into_iter().zip(LEAST).map(|(head, least)| Column::text(head, least)).collect();
    let wanted = WIDTHS.map(|width| if width == 0 { room.unwrap_or(0) } else { width });
    Layout::new(&columns, &wanted, room)
}

/// Prints rows as they come.
struct Printer<W: Write> {
    format: ActivityFormat,
    rows: u64,
    layout: Layout,
    out: W,
}

impl<W: Write> Printer<W> {
    fn print(&mut self, rows: &[ActivityRow]) -> std::io::Result<()> {
        for row in rows {
            if self.rows == 0 {
                self.begin()?;
            }
            match self.format {
                ActivityFormat::Table => {
                    let mut cells = cells(row).map(Cell::from);
                    if let Some(cell) = cells.get_mut(OUTCOME) {
                        *cell = cell.clone().painted(Ink::of(&row.outcome));
                    }
                    writeln!(self.out, "{}", self.layout.row(&cells))?;
                }
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
            ActivityFormat::Table => writeln!(self.out, "{}", self.layout.heads()),
            ActivityFormat::Json => self.out.write_all(b"["),
            ActivityFormat::Csv => self.out.write_all(&csv_line(csv_heads())),
        }
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
