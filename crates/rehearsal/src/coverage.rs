//! What the tests left out of a dialplan: a summary, a listing, and a file for other programs.

use std::collections::BTreeMap;

use dialplan::{Branch, BranchKind, Coverage, LineCoverage, RouteInfo};

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
        all.functions += row.functions;
        all.functions_called += row.functions_called;
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
    functions: usize,
    functions_called: usize,
    never: Vec<u32>,
    /// Every line that can run, to tell which of those that never did follow each other.
    known: Vec<u32>,
}

impl Row {
    fn of(file: &str, lines: &BTreeMap<u32, LineCoverage>) -> Self {
        let (functions, forks): (Vec<&Branch>, Vec<&Branch>) =
            branches(lines).partition(|branch| is_function(branch));
        let ways = || forks.iter().flat_map(|branch| branch.ways());
        let never = lines.iter().filter(|(_, line)| line.hits == 0).map(|(number, _)| *number);
        Self {
            file: file.to_owned(),
            lines: lines.len(),
            lines_hit: lines.values().filter(|line| line.hits > 0).count(),
            ways: ways().count(),
            ways_taken: ways().filter(|hits| **hits > 0).count(),
            functions: functions.len(),
            functions_called: functions.iter().filter(|function| is_called(function)).count(),
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
        if self.functions > 0 {
            let (called, all) = (self.functions_called, self.functions);
            text.push_str(&format!(", {called} of {all} functions"));
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

/// Everything that can go on in more than one way.
fn branches(lines: &BTreeMap<u32, LineCoverage>) -> impl Iterator<Item = &Branch> {
    lines.values().flat_map(|line| &line.branches)
}

fn is_function(branch: &Branch) -> bool {
    branch.kind == BranchKind::Function
}

fn is_called(function: &Branch) -> bool {
    function.ways().iter().any(|hits| *hits > 0)
}

/// A script with how often each line ran in front, lines that never did marked, and which ways it
/// never went on behind.
pub fn listing(lines: &BTreeMap<u32, LineCoverage>, text: &str) -> String {
    let mut listing = String::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let known = lines.get(&number);
        let (count, mark) = match known {
            None => (String::new(), ' '),
            Some(LineCoverage { hits: 0, .. }) => ("never".to_owned(), '!'),
            Some(known) => (known.hits.to_string(), ' '),
        };
        let reached = known.filter(|known| known.hits > 0);
        let missed: Vec<String> = reached
            .into_iter()
            .flat_map(|known| &known.branches)
            .filter_map(|branch| never(branch, number))
            .collect();
        let missed = match missed.as_slice() {
            [] => String::new(),
            all => format!("   -- ! {}", all.join("; ")),
        };
        let written = format!("{mark}{count:>7} {number:>5} | {line}{missed}");
        listing.push_str(written.trim_end());
        listing.push('\n');
    }
    listing
}

/// What a branch on a line that ran never did, in words; what lines of its own show is left to them.
fn never(branch: &Branch, line: u32) -> Option<String> {
    let text = &branch.text;
    let on_one_line = branch.last_line == line;
    match (branch.kind, branch.hits) {
        // It stands behind something that was always so, which is told already.
        (BranchKind::Condition | BranchKind::Operand, [0, 0]) => None,
        (BranchKind::Condition | BranchKind::Operand, [0, _]) => {
            Some(format!("never true: {text}"))
        }
        (BranchKind::Condition | BranchKind::Operand, [_, 0]) => {
            Some(format!("never false: {text}"))
        }
        (BranchKind::Loop, [0, _]) if on_one_line => Some("the loop never runs".to_owned()),
        (BranchKind::Function, [0, _]) if on_one_line && text.is_empty() => {
            Some("the function is never called".to_owned())
        }
        (BranchKind::Function, [0, _]) if on_one_line => Some(format!("never called: {text}")),
        (
            BranchKind::Condition | BranchKind::Operand | BranchKind::Loop | BranchKind::Function,
            _,
        ) => None,
    }
}

/// All of it in the format of `lcov`, which editors and build servers read. Files are named as in
/// `paths`, by their names in messages.
pub fn lcov(coverage: &Coverage, paths: &Texts) -> String {
    let mut text = String::new();
    for (file, lines) in &coverage.files {
        let path = paths.get(file).unwrap_or(file);
        text.push_str(&format!("TN:\nSF:{path}\n"));
        // Of one name there may be several functions, and programs tell them apart by their names.
        let name = |branch: &Branch| {
            let place = format!("{}:{}", branch.line, branch.column);
            if branch.text.is_empty() { place } else { format!("{} {place}", branch.text) }
        };
        let functions: Vec<(String, &Branch)> = branches(lines)
            .filter(|branch| is_function(branch))
            .map(|branch| (name(branch), branch))
            .collect();
        for (name, function) in &functions {
            text.push_str(&format!("FN:{},{name}\n", function.line));
        }
        for (name, function) in &functions {
            let calls: u64 = function.ways().iter().sum();
            text.push_str(&format!("FNDA:{calls},{name}\n"));
        }
        let called = functions.iter().filter(|(_, function)| is_called(function)).count();
        text.push_str(&format!("FNF:{}\nFNH:{called}\n", functions.len()));
        let (mut ways, mut taken) = (0, 0);
        let forks = branches(lines).filter(|branch| !is_function(branch));
        for (block, branch) in forks.enumerate() {
            let line = branch.line;
            let reached = branch.hits != [0, 0];
            for (way, hits) in branch.ways().iter().enumerate() {
                let hit = if reached { hits.to_string() } else { "-".to_owned() };
                text.push_str(&format!("BRDA:{line},{block},{way},{hit}\n"));
                ways += 1;
                taken += usize::from(*hits > 0);
            }
        }
        text.push_str(&format!("BRF:{ways}\nBRH:{taken}\n"));
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

    fn branch(
        kind: BranchKind,
        column: u32,
        lines: [u32; 2],
        text: &str,
        hits: [u64; 2],
    ) -> Branch {
        let [line, last_line] = lines;
        Branch { kind, line, column, last_line, text: text.into(), hits }
    }

    fn coverage() -> Coverage {
        let line = |hits, branches: &[Branch]| LineCoverage { hits, branches: branches.to_vec() };
        let menu = [
            branch(BranchKind::Function, 10, [8, 8], "['1']", [2, 0]),
            branch(BranchKind::Function, 30, [8, 8], "['2']", [0, 0]),
            branch(BranchKind::Function, 60, [8, 9], "", [0, 0]),
        ];
        let lines = [
            (1, line(1, &[branch(BranchKind::Loop, 1, [1, 1], "", [0, 0])])),
            (
                2,
                line(
                    3,
                    &[
                        branch(BranchKind::Condition, 4, [2, 2], "x and y", [3, 0]),
                        branch(BranchKind::Operand, 4, [2, 2], "x", [3, 0]),
                    ],
                ),
            ),
            (3, line(3, &[])),
            (5, line(0, &[])),
            (6, line(0, &[branch(BranchKind::Operand, 4, [6, 6], "z", [0, 0])])),
            (8, line(2, &menu)),
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
  scripts/main.lua   57 %  4 of 7 lines, 2 of 7 branches, 1 of 3 functions; never 5-6, 9
  all                57 %  4 of 7 lines, 2 of 7 branches, 1 of 3 functions
  routes taken: 1 of 2; never \"9\" (scripts/main.lua:8)
";
        assert_eq!(summary(&coverage(), &[route("1XX", 1), route("9", 8)]), expected);
    }

    #[test]
    fn a_listing_shows_each_line_with_how_often_it_ran_and_what_it_never_did() {
        let text = "for\nif x and y then\n  a()\nelse\n  b()\n  c(z or 1)\nend\nd()\ne()\n";
        let expected = "       1     1 | for   -- ! the loop never runs
       3     2 | if x and y then   -- ! never false: x and y; never false: x
       3     3 |   a()
             4 | else
!  never     5 |   b()
!  never     6 |   c(z or 1)
             7 | end
       2     8 | d()   -- ! never called: ['2']
!  never     9 | e()
";
        let coverage = coverage();
        let shown = listing(&coverage.files["scripts/main.lua"], text);
        assert_eq!(shown, expected);
    }

    #[test]
    fn lcov_is_told_of_every_line_branch_and_function() {
        let paths = [("scripts/main.lua".to_owned(), "/office/main.lua".to_owned())].into();
        let expected = "TN:\nSF:/office/main.lua\n\
                        FN:8,['1'] 8:10\nFN:8,['2'] 8:30\nFN:8,8:60\n\
                        FNDA:2,['1'] 8:10\nFNDA:0,['2'] 8:30\nFNDA:0,8:60\nFNF:3\nFNH:1\n\
                        BRDA:1,0,0,-\nBRDA:2,1,0,3\nBRDA:2,1,1,0\nBRDA:2,2,0,3\nBRDA:2,2,1,0\n\
                        BRDA:6,3,0,-\nBRDA:6,3,1,-\nBRF:7\nBRH:2\nDA:1,1\nDA:2,3\n\
                        DA:3,3\nDA:5,0\nDA:6,0\nDA:8,2\nDA:9,0\nLF:7\nLH:4\nend_of_record\n";
        assert_eq!(lcov(&coverage(), &paths), expected);
    }
}
