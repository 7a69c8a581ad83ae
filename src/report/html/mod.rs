//! The report as pages for a browser: an index, and pages for each role, each party and each account.
//!
//! They work from `file://`: style, script and charts are part of each page, and its policy lets a browser take nothing
//! from anywhere else. What strangers wrote is escaped by the templates themselves ([`escaper`]); a page can be read
//! without its script. Nothing is judged here: a page says what the assessment says.

mod access;
mod account;
mod charts;
mod coverage;
pub mod escaper;
mod findings;
mod index;
mod ledger;
mod lists;
mod party;
mod policies;
mod remedy;
mod role;
mod shell;
pub(super) mod sign_off;
mod site;
mod timeline;
mod trust;
mod words;

use askama::Template;

use crate::evidence::hands::{self, Hands};
use crate::finding::assessment::Assessment;

use self::lists::Lists;
use self::site::Site;
use super::{OutputFile, RenderError};

/// Bytes of a role's page that a browser likes; one that is larger is made again with less of what can be long.
const ROLE_BYTES: usize = 950_000;
/// How much less.
const THRIFT: usize = 5;

/// Renders all pages; `folders` are those of the roles, `written` the other outputs that pages may point at, `has_tables`
/// whether the tables are among them.
///
/// # Errors
/// [`RenderError::Page`].
pub fn render(
    hands: &dyn Hands,
    assessment: &Assessment,
    folders: &[String],
    written: &[OutputFile],
    has_tables: bool,
) -> Result<Vec<OutputFile>, RenderError> {
    let site = Site::new(assessment, folders, written, has_tables);
    let roles: Vec<usize> = (0..assessment.roles.len()).collect();
    let parties: Vec<usize> = (0..assessment.parties.len()).collect();
    let accounts: Vec<_> = site.accounts.keys().copied().collect();
    let lists = Lists::of(&site);
    let mut files = vec![page("report/index.html".to_owned(), &index::view(&site, &lists))?];
    for view in lists.further() {
        files.push(page(format!("report/{}", view.href), &view)?);
    }
    let pages = hands::map(hands, &accounts, |account| {
        account::view(&site, *account).into_iter().map(|(path, view)| page(format!("report/{path}"), &view)).collect()
    });
    for file in pages.into_iter().flat_map(Vec::into_iter) {
        files.push(file?);
    }
    let pages = hands::map(hands, &roles, |at| {
        let whole = role_page(&site, *at, 1)?;
        let is_heavy = whole.as_ref().is_ok_and(|file| file.bytes.len() > ROLE_BYTES);
        if is_heavy { role_page(&site, *at, THRIFT) } else { Some(whole) }
    });
    for file in pages.into_iter().flatten() {
        files.push(file?);
    }
    let pages = hands::map(hands, &parties, |at| {
        let view = party::view(&site, *at)?;
        Some(view.and_then(|view| page(format!("report/parties/{}", site.party_page(*at)), &view)))
    });
    for file in pages.into_iter().flatten() {
        files.push(file?);
    }
    Ok(files)
}

/// The page of a role, in which what can be long has one of so many shares of its room.
fn role_page(site: &Site<'_>, at: usize, share: usize) -> Option<Result<OutputFile, RenderError>> {
    let view = role::view(site, at, share)?;
    Some(view.and_then(|view| page(format!("report/roles/{}", site.role_page(at)), &view)))
}

fn page(path: String, view: &impl Template) -> Result<OutputFile, RenderError> {
    match view.render() {
        Ok(text) => Ok(OutputFile::new(path, text)),
        Err(error) => Err(RenderError::Page { path, why: error.to_string() }),
    }
}
