//! Every page leads where it says: each link to a file or a heading is followed, in what a first start
//! writes, in a new project, and in this repository.

use std::fs;
use std::path::{Path, PathBuf};

use super::begin;
use crate::embedded;

#[test]
fn every_link_in_what_a_first_start_writes_leads_to_something_written() {
    let folder = tempfile::tempdir().unwrap();
    embedded::write_scripts(&folder.path().join("scripts")).unwrap();
    embedded::write_prompts(&folder.path().join("prompts")).unwrap();
    let (followed, broken) = follow_all(folder.path());
    assert_eq!(broken, Vec::<String>::new());
    assert!(followed > 20, "only {followed} links were found");
}

#[test]
fn every_link_in_a_new_project_leads_to_something_written() {
    let folder = tempfile::tempdir().unwrap();
    begin(&folder.path().join("cordboard.toml"), None).unwrap();
    let (followed, broken) = follow_all(folder.path());
    assert_eq!(broken, Vec::<String>::new());
    assert!(followed > 20, "only {followed} links were found");
}

#[test]
fn every_link_in_the_repository_leads_to_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let (followed, broken) = follow_all(&root);
    assert_eq!(broken, Vec::<String>::new());
    assert!(followed > 20, "only {followed} links were found");
}

#[test]
fn a_link_to_nothing_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let page = "# A page\n[one](two.md)\n[two](#a-page)\n[three](#another)\n\
                `code [no](link)`\n```\n[nor](this)\n```\n[out](../x.md) [web](https://example.org)\n";
    fs::write(folder.path().join("one.md"), page).unwrap();
    let (followed, broken) = follow_all(folder.path());
    assert_eq!(followed, 4);
    assert_eq!(broken, ["one.md: two.md", "one.md: #another", "one.md: ../x.md"]);
}

/// How many links the pages under a folder have, and which of them lead nowhere or out of the folder.
fn follow_all(root: &Path) -> (usize, Vec<String>) {
    let mut pages = Vec::new();
    collect(root, &mut pages);
    pages.sort();
    let (mut followed, mut broken) = (0, Vec::new());
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            followed += 1;
            if !leads_somewhere(root, &page, &text, link) {
                let page = page.strip_prefix(root).unwrap().display();
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    (followed, broken)
}

fn leads_somewhere(root: &Path, page: &Path, text: &str, link: &str) -> bool {
    let (file, heading) = link.split_once('#').map_or((link, None), |(f, h)| (f, Some(h)));
    let target = page.parent().unwrap().join(file);
    let there = match file {
        "" => Some(text.to_owned()),
        _ => match target.canonicalize() {
            // What is beside the folder is not written with it.
            Ok(found) if found.starts_with(root.canonicalize().unwrap()) => {
                Some(fs::read_to_string(found).unwrap_or_default())
            }
            Ok(_) | Err(_) => None,
        },
    };
    there.is_some_and(|text| heading.is_none_or(|wanted| headings(&text).any(|h| h == wanted)))
}

/// What stands in the round brackets of a link, without links into the web.
fn links(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2);
    let spans = prose.flat_map(|part| part.split('`').step_by(2));
    let links = spans.flat_map(|span| span.split("](").skip(1));
    let links = links.filter_map(|rest| rest.split(')').next());
    links.filter(|link| !link.contains("://")).collect()
}

/// The headings as links name them.
fn headings(page: &str) -> impl Iterator<Item = String> {
    let lines = page.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            // What a new project is given is followed there, where its links lead somewhere.
            if !["target", ".git", "node_modules", "starter"].contains(&name.as_str()) {
                collect(&path, pages);
            }
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
}
