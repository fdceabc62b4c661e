//! What the tests left out of a dialplan: a summary, a listing, and a file for other programs.

use std::collections::BTreeMap;

use dialplan::{Coverage, LineCoverage, RouteInfo};

/// Texts of scripts by file, as messages name them: `scripts/main.lua`.
type Texts = BTreeMap<String, String>;

/// A line for each file: how much of it ran, and what never did.
pub fn summary(coverage: &Coverage, routes: &[RouteInfo]) -> String {
    let rows: Vec<Row> = coverage.files.iter().map(|(file, lines)| Row::of(file, lines)).collect();
    let width = rows.iter().map(|row| row.file.len()).max().unwrap_or_default().max(4);
    let mut text = String::from("coverage\n");
    let mut all = Row::of("all", &BTreeMap::new());
    for row in &rows {
        text.push_str(&row.written(width));
        all.lines += row.lines;
        all.lines_hit += row.lines_hit;
        all.ways += row.ways;
        all.ways_taken += row.ways_taken;
    }
    text.push_str(&all.written(width));
    let taken = |index: usize| coverage.routes.get(index).is_some_and(|hits| *hits > 0);
    let never: Vec<String> = routes
        .iter()
        .enumerate()
        .filter(|(index, _)| !taken(*index))
        .map(|(_, route)| format!("\"{}\" ({}:{})", route.pattern, route.file, route.line))
        .collect();
    let hit = routes.len() - never.len();
    text.push_str(&format!("  routes taken: {hit} of {}", routes.len()));
    if !never.is_empty() {
        text.push_str(&format!("; never {}", never.join(", ")));
    }
    text.push('\n');
    text
}

struct Row {
    file: String,
    lines: usize,
    lines_hit: usize,
    ways: usize,
    ways_taken: usize,
    never: Vec<u32>,
    /// Every line that can run, to tell which of those that never did follow each other.
    known: Vec<u32>,
}

impl Row {
    fn of(file: &str, lines: &BTreeMap<u32, LineCoverage>) -> Self {
        let ways = || lines.values().flat_map(|line| line.leads_to.values());
        let never = lines.iter().filter(|(_, line)| line.hits == 0).map(|(number, _)| *number);
        Self {
            file: file.to_owned(),
            lines: lines.len(),
            lines_hit: lines.values().filter(|line| line.hits > 0).count(),
            ways: ways().count(),
            ways_taken: ways().filter(|hits| **hits > 0).count(),
            never: never.collect(),
            known: lines.keys().copied().collect(),
        }
    }

    fn written(&self, width: usize) -> String {
        let share = (self.lines_hit * 100).checked_div(self.lines).unwrap_or(100);
        let mut text = format!(
            "  {:<width$}  {share:>3} %  {} of {} lines",
            self.file, self.lines_hit, self.lines
        );
        if self.ways > 0 {
            text.push_str(&format!(", {} of {} branches", self.ways_taken, self.ways));
        }
        if !self.never.is_empty() {
            text.push_str(&format!("; never {}", self.ranges()));
        }
        text.push('\n');
        text
    }

    /// `12-14, 20`: lines in between that cannot run do not interrupt a range.
    fn ranges(&self) -> String {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut before_never = false;
        for line in &self.known {
            let never = self.never.contains(line);
            match ranges.last_mut() {
                Some(range) if never && before_never => range.1 = *line,
                Some(_) | None if never => ranges.push((*line, *line)),
                Some(_) | None => {}
            }
            before_never = never;
        }
        let written = ranges.iter().map(|(from, to)| match from == to {
            true => from.to_string(),
            false => format!("{from}-{to}"),
        });
        written.collect::<Vec<_>>().join(", ")
    }
}

/// A script with how often each line ran in front, lines that never did marked, and what was never
/// taken of each branch behind.
pub fn listing(lines: &BTreeMap<u32, LineCoverage>, text: &str) -> String {
    let mut listing = String::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let (count, mark) = match lines.get(&number) {
            None => (String::new(), ' '),
            Some(LineCoverage { hits: 0, .. }) => ("never".to_owned(), '!'),
            Some(known) => (known.hits.to_string(), ' '),
        };
        let missed: Vec<String> = lines
            .get(&number)
            .filter(|known| known.hits > 0)
            .map(|known| known.leads_to.iter().filter(|(_, hits)| **hits == 0))
            .into_iter()
            .flatten()
            .map(|(to, _)| to.to_string())
            .collect();
        let branch = match missed.as_slice() {
            [] => String::new(),
            to => format!("   -- ! never went on at {}", to.join(", ")),
        };
        let written = format!("{mark}{count:>7} {number:>5} | {line}{branch}");
        listing.push_str(written.trim_end());
        listing.push('\n');
    }
    listing
}

/// All of it in the format of `lcov`, which editors and build servers read. Files are named as in
/// `paths`, by their names in messages.
pub fn lcov(coverage: &Coverage, paths: &Texts) -> String {
    let mut text = String::new();
    for (file, lines) in &coverage.files {
        let path = paths.get(file).unwrap_or(file);
        text.push_str(&format!("TN:\nSF:{path}\n"));
        for (block, (number, line)) in lines.iter().enumerate() {
            for (way, hits) in line.leads_to.values().enumerate() {
                let hits = if line.hits == 0 { "-".to_owned() } else { hits.to_string() };
                text.push_str(&format!("BRDA:{number},{block},{way},{hits}\n"));
            }
        }
        for (number, line) in lines {
            text.push_str(&format!("DA:{number},{}\n", line.hits));
        }
        let hit = lines.values().filter(|line| line.hits > 0).count();
        text.push_str(&format!("LF:{}\nLH:{hit}\nend_of_record\n", lines.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage() -> Coverage {
        let line = |hits, ways: &[(u32, u64)]| LineCoverage {
            hits,
            leads_to: ways.iter().copied().collect(),
        };
        let lines = [
            (1, line(1, &[])),
            (2, line(3, &[(3, 3), (5, 0)])),
            (3, line(3, &[])),
            (5, line(0, &[])),
            (6, line(0, &[])),
            (8, line(2, &[])),
            (9, line(0, &[])),
        ];
        Coverage {
            files: [("scripts/main.lua".to_owned(), lines.into())].into(),
            routes: vec![4, 0],
        }
    }

    #[test]
    fn a_summary_tells_what_never_ran() {
        let route = |pattern: &str, line| RouteInfo {
            pattern: pattern.into(),
            public: false,
            file: "scripts/main.lua".into(),
            line,
        };
        let expected = "coverage
  scripts/main.lua   57 %  4 of 7 lines, 1 of 2 branches; never 5-6, 9
  all                57 %  4 of 7 lines, 1 of 2 branches
  routes taken: 1 of 2; never \"9\" (scripts/main.lua:8)
";
        assert_eq!(summary(&coverage(), &[route("1XX", 1), route("9", 8)]), expected);
    }

    #[test]
    fn a_listing_shows_each_line_with_how_often_it_ran() {
        let text = "route()\nif x then\n  a()\nelse\n  b()\n  c()\nend\nd()\ne()\n";
        let expected = "       1     1 | route()
       3     2 | if x then   -- ! never went on at 5
       3     3 |   a()
             4 | else
!  never     5 |   b()
!  never     6 |   c()
             7 | end
       2     8 | d()
!  never     9 | e()
";
        let coverage = coverage();
        let shown = listing(&coverage.files["scripts/main.lua"], text);
        assert_eq!(shown, expected);
    }

    #[test]
    fn lcov_is_told_of_every_line_and_branch() {
        let paths = [("scripts/main.lua".to_owned(), "/office/main.lua".to_owned())].into();
        let expected = "TN:\nSF:/office/main.lua\nBRDA:2,1,0,3\nBRDA:2,1,1,0\nDA:1,1\nDA:2,3\n\
                        DA:3,3\nDA:5,0\nDA:6,0\nDA:8,2\nDA:9,0\nLF:7\nLH:4\nend_of_record\n";
        assert_eq!(lcov(&coverage(), &paths), expected);
    }
}
