//! The report as pages for a browser: an index, and one page for each role and each party.
//!
//! They work from `file://`: style, script and charts are part of each page, and its policy lets a browser take nothing
//! from anywhere else. What strangers wrote is escaped by the templates themselves ([`escaper`]); a page can be read
//! without its script. Nothing is judged here: a page says what the assessment says.

mod access;
mod charts;
mod coverage;
pub mod escaper;
mod findings;
mod index;
mod ledger;
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

use self::site::Site;
use super::{OutputFile, RenderError};

/// Renders all pages; `folders` are those of the roles, `written` the other outputs that pages may point at.
///
/// # Errors
/// [`RenderError::Page`].
pub fn render(
    hands: &dyn Hands,
    assessment: &Assessment,
    folders: &[String],
    written: &[OutputFile],
) -> Result<Vec<OutputFile>, RenderError> {
    let site = Site::new(assessment, folders, written);
    let roles: Vec<usize> = (0..assessment.roles.len()).collect();
    let parties: Vec<usize> = (0..assessment.parties.len()).collect();
    let mut files = vec![page("report/index.html".to_owned(), &index::view(&site))?];
    let pages = hands::map(hands, &roles, |at| {
        let view = role::view(&site, *at)?;
        Some(view.and_then(|view| page(format!("report/roles/{}", site.role_page(*at)), &view)))
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

fn page(path: String, view: &impl Template) -> Result<OutputFile, RenderError> {
    match view.render() {
        Ok(text) => Ok(OutputFile::new(path, text)),
        Err(error) => Err(RenderError::Page { path, why: error.to_string() }),
    }
}
