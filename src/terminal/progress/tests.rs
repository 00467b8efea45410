use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::terminal::{Captured, ColorChoice, Setting, Terminal};

/// 10:41:07 on the day of the clock of [`Setting::piped`].
const START: i64 = 1_795_430_467;

struct Told {
    ui: Ui,
    captured: Captured,
    seconds: Arc<AtomicI64>,
}

fn told(setting: Setting, verbosity: Verbosity) -> Told {
    let seconds = Arc::new(AtomicI64::new(START));
    let clock = seconds.clone();
    let setting = setting.clock(move || at(clock.load(Ordering::SeqCst)));
    let (terminal, captured) = Terminal::captured(setting);
    Told { ui: Ui::new(terminal, ColorChoice::Never, verbosity), captured, seconds }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl Ui {
    pub(in crate::terminal) fn progress_by_hand(&self) -> Progress {
        Progress { shared: Arc::new(Shared::new(self, true)), heart: None }
    }
}

impl Progress {
    /// Draws the next frame, or prints a heartbeat that is due.
    fn tick(&self) {
        if let Some(line) = &lock(&self.shared.output).line {
            return line.bar.tick();
        }
        self.shared.update(Stages::tick);
    }
}

impl Told {
    fn by_hand(&self) -> Progress {
        self.ui.progress_by_hand()
    }

    fn pass(&self, progress: &Progress, seconds: i64) {
        for _ in 0..seconds {
            self.seconds.fetch_add(1, Ordering::SeqCst);
            progress.tick();
        }
    }

    fn stderr(&self) -> String {
        self.captured.stderr().replace('\u{1b}', "^")
    }

    /// The final display: with carriage returns and erased lines applied, as on a terminal.
    fn seen(&self) -> String {
        let mut rows = vec![String::new()];
        let mut column = 0;
        let text = self.captured.stderr();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let row = rows.last_mut().unwrap();
            match c {
                '\r' => column = 0,
                '\n' => {
                    rows.push(String::new());
                    column = 0;
                }
                '\u{1b}' => {
                    assert_eq!(chars.by_ref().take(2).collect::<String>(), "[K", "only clearing is expected");
                    *row = row.chars().take(column).collect();
                }
                c => {
                    let mut cells: Vec<char> = row.chars().collect();
                    cells.resize(cells.len().max(column + 1), ' ');
                    cells[column] = c;
                    *row = cells.into_iter().collect();
                    column += 1;
                }
            }
        }
        rows.iter().map(|row| row.trim_end()).collect::<Vec<_>>().join("\n")
    }
}

/// A dry run, in the order of the operator's events.
fn dry_run(told: &Told, progress: &Progress) {
    progress.done("written (resourceVersion 81733)");
    told.pass(progress, 1);
    progress.done("operator started reconciling");
    let dry_run = Waiting::new("running the dry run", at(START + 1)).ends_at(at(START + 1800));
    progress.details().update(&[], Some("MAS pod starting".to_owned()));
    progress.waiting(dry_run);
    told.pass(progress, 12);
    progress.details().update(&[], Some("MAS pod running, migration job 1 of 1 running".to_owned()));
    told.pass(progress, 70);
    progress.note("the connection to the API server was lost and is back");
    told.pass(progress, 2);
}

#[test]
fn a_pipe_gets_a_line_per_change_and_a_heartbeat() {
    let told = told(Setting::piped(), Verbosity::Normal);
    let progress = told.by_hand();
    dry_run(&told, &progress);
    progress.done("operator finished: no errors");
    told.pass(&progress, 90);
    drop(progress);
    insta::assert_snapshot!(told.stderr(), @r"
    ✔ 10:41:07  written (resourceVersion 81733)
    ✔ 10:41:08  operator started reconciling
    · 10:41:08  running the dry run: MAS pod starting, waiting until 11:11
    · 10:41:20  running the dry run: MAS pod running, migration job 1 of 1 running
    · 10:41:50  still running the dry run: MAS pod running, migration job 1 of 1 running; 42s so far, no updates for 30s, waiting until 11:11
    · 10:42:20  still running the dry run: MAS pod running, migration job 1 of 1 running; 1m 12s so far, no updates for 1m, waiting until 11:11
    · 10:42:30  the connection to the API server was lost and is back
    ✔ 10:42:32  operator finished: no errors
    ");
}

#[test]
fn a_terminal_shows_finished_stages_and_one_live_line() {
    let told = told(Setting::terminal(120), Verbosity::Normal);
    let progress = told.by_hand();
    dry_run(&told, &progress);
    insta::assert_snapshot!(told.seen(), @r"
    ✔ 10:41:07  written (resourceVersion 81733)
    ✔ 10:41:08  operator started reconciling
    · 10:42:30  the connection to the API server was lost and is back
    ⠼ 10:42:32  running the dry run: MAS pod running, migration job 1 of 1 running       1m 24s, no updates for 1m 12s
    ");
    progress.failed("operator reports failure");
    insta::assert_snapshot!(told.seen(), @r"
    ✔ 10:41:07  written (resourceVersion 81733)
    ✔ 10:41:08  operator started reconciling
    · 10:42:30  the connection to the API server was lost and is back
    ✘ 10:42:32  operator reports failure
    ");
    drop(progress);
    assert!(told.seen().ends_with("operator reports failure\n"));
}

#[test]
fn the_live_line_fits_every_window() {
    for columns in [20, 60, 80, 120, 200] {
        let told = told(Setting::terminal(columns).env("LANG", "C"), Verbosity::Normal);
        let progress = told.by_hand();
        let waiting = Waiting::new("running the dry run", at(START - 37));
        progress.details().update(&[], Some("MAS pod running, 会社 🎉 migration job 1 of 1 running".to_owned()));
        told.seconds.fetch_add(45, Ordering::SeqCst);
        progress.waiting(waiting.ends_at(at(START + 1845)));
        let line = told.captured.stderr().replace("\u{1b}[K", "").replace('\r', "");
        assert!(crate::terminal::text::width(&line) < columns, "{columns}: {line}");
        assert!(line.contains("1m 22s") || columns == 20, "{columns}: {line}");
    }
}

#[test]
fn missing_updates_are_shown_after_half_a_minute() {
    let told = told(Setting::terminal(120), Verbosity::Normal);
    let progress = told.by_hand();
    progress.waiting(Waiting::new("migrating", at(START)));
    progress.updated();
    told.pass(&progress, 29);
    assert!(!told.seen().contains("no updates"));
    told.pass(&progress, 1);
    assert!(told.seen().contains("30s, no updates for 30s"), "{}", told.seen());
}

#[test]
fn a_frame_is_one_write_that_never_clears_first() {
    let told = told(Setting::terminal(60), Verbosity::Normal);
    let progress = told.by_hand();
    progress.waiting(Waiting::new("running the dry run", at(START)));
    let before = told.stderr().len();
    told.pass(&progress, 1);
    let frame = &told.stderr()[before..];
    assert!(frame.starts_with("\r  ⠙ 10:41:08") && frame.ends_with("1s^[K"), "{frame}");
    assert_eq!(frame.matches('\r').count(), 1, "{frame}");
}

#[test]
fn quiet_prints_no_progress() {
    let told = told(Setting::terminal(80), Verbosity::Quiet);
    let progress = told.by_hand();
    dry_run(&told, &progress);
    drop(progress);
    assert_eq!(told.stderr(), "");
}

#[test]
fn a_dumb_terminal_gets_lines() {
    let told = told(Setting::terminal(80).env("TERM", "dumb"), Verbosity::Normal);
    let progress = told.by_hand();
    progress.waiting(Waiting::new("running the dry run", at(START)));
    drop(progress);
    assert_eq!(told.stderr(), "  · 10:41:07  running the dry run\n");
}

#[test]
fn output_does_not_overlap_the_live_line() {
    let told = told(Setting::terminal(60), Verbosity::Normal);
    let progress = told.by_hand();
    progress.waiting(Waiting::new("running the dry run", at(START)));
    told.ui.warning("the certificate ends in 9 days");
    let seen = told.seen();
    assert_eq!(seen.lines().next(), Some("warning: the certificate ends in 9 days"));
    assert!(seen.lines().nth(1).is_some_and(|line| line.contains("running the dry run")), "{seen}");
}

#[test]
fn a_prompt_hides_the_live_line() {
    let told = told(Setting::terminal(60).answers(["y".into()]), Verbosity::Normal);
    let progress = told.by_hand();
    progress.waiting(Waiting::new("running the dry run", at(START)));
    assert!(told.ui.confirm("Continue?").unwrap());
    drop(progress);
    assert_eq!(told.seen(), "Continue? [y/N] y\n");
}

#[test]
fn a_panic_erases_the_live_line() {
    let told = told(Setting::terminal(60), Verbosity::Normal);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let progress = told.ui.progress();
        progress.waiting(Waiting::new("running the dry run", at(START)));
        std::panic::resume_unwind(Box::new("stop"));
    }));
    assert!(outcome.is_err());
    assert_eq!(told.seen(), "");
}

#[test]
fn the_spinner_is_redrawn_by_a_timer() {
    let told = told(Setting::terminal(60), Verbosity::Normal);
    let progress = told.ui.progress();
    progress.waiting(Waiting::new("running the dry run", at(START)));
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while !told.stderr().contains("⠹") {
        assert!(std::time::Instant::now() < until, "no frame was drawn: {}", told.stderr());
        thread::sleep(Duration::from_millis(1));
    }
    drop(progress);
    let after = told.stderr().len();
    thread::sleep(2 * REDRAW);
    assert_eq!(told.stderr().len(), after, "something is drawn after the end");
}

#[test]
fn a_message_of_the_operator_cannot_break_the_live_line() {
    let told = told(Setting::terminal(60), Verbosity::Normal);
    let progress = told.by_hand();
    progress.details().update(&[], Some("one\ntwo\u{1b}[2J\rthree".to_owned()));
    progress.waiting(Waiting::new("running the dry run", at(START)));
    assert!(told.seen().contains("one two three"), "{}", told.seen());
    assert!(!told.captured.stderr().contains('\n'));
}

#[test]
fn repeated_states_are_printed_once() {
    let told = told(Setting::piped(), Verbosity::Normal);
    let progress = told.by_hand();
    let waiting = Waiting::new("running the dry run", at(START));
    progress.details().update(&[], Some("MAS pod starting".to_owned()));
    progress.waiting(waiting.clone());
    told.pass(&progress, 5);
    progress.updated();
    progress.waiting(waiting.clone());
    assert_eq!(told.stderr().lines().count(), 1, "{}", told.stderr());
    progress.details().update(&[], Some("MAS pod running".to_owned()));
    assert_eq!(told.stderr().lines().count(), 2, "{}", told.stderr());
}

/// An activation with progress from its workloads, in addition to the operator's events.
fn activation(told: &Told, progress: &Progress) {
    let details = progress.details();
    progress.done("operator started reconciling");
    progress.waiting(Waiting::new("migrating; users are locked out", at(START)).ends_at(at(START + 5400)));
    told.pass(progress, 5);
    details.update(&[], Some("Synapse stopping, 4 of 5 pods left".to_owned()));
    told.pass(progress, 5);
    let stopped = [(Symbol::Done, Line::from("Synapse is stopped"))];
    details.update(&stopped, Some("Synapse stopped".to_owned()));
    told.pass(progress, 5);
    details.update(&[], Some("Synapse stopped, migration job running (chat-syn2mas)".to_owned()));
    told.pass(progress, 40);
}

#[test]
fn workload_changes_are_printed_in_a_pipe() {
    let told = told(Setting::piped(), Verbosity::Normal);
    let progress = told.by_hand();
    activation(&told, &progress);
    progress.details().update(&[], None);
    insta::assert_snapshot!(told.stderr(), @r"
    ✔ 10:41:07  operator started reconciling
    · 10:41:07  migrating; users are locked out, waiting until 12:11
    · 10:41:12  migrating; users are locked out: Synapse stopping, 4 of 5 pods left
    ✔ 10:41:17  Synapse is stopped
    · 10:41:17  migrating; users are locked out: Synapse stopped
    · 10:41:22  migrating; users are locked out: Synapse stopped, migration job running (chat-syn2mas)
    · 10:41:52  still migrating; users are locked out: Synapse stopped, migration job running (chat-syn2mas); 45s so far, no updates for 30s, waiting until 12:11
    ");
}

#[test]
fn workload_state_is_cut_to_the_live_line() {
    for (columns, line) in [
        (60, "  ⠴ 10:42:02  Synapse stopped, migration job runn…   55s"),
        (90, "  ⠴ 10:42:02  Synapse stopped, migration job running (chat-syn2mas)                55s"),
        (
            140,
            "  ⠴ 10:42:02  migrating; users are locked out: Synapse stopped, migration job running (chat-syn2mas)             55s, no updates for 40s",
        ),
    ] {
        let told = told(Setting::terminal(columns), Verbosity::Normal);
        let progress = told.by_hand();
        activation(&told, &progress);
        let seen = told.seen();
        assert_eq!(seen.lines().next(), Some("  ✔ 10:41:07  operator started reconciling"));
        assert_eq!(seen.lines().nth(1), Some("  ✔ 10:41:17  Synapse is stopped"));
        assert_eq!(seen.lines().nth(2), Some(line));
        drop(progress);
        assert_eq!(told.seen().lines().count(), 2);
    }
}

#[test]
fn workload_changes_are_not_printed_after_the_end_or_with_quiet() {
    let told = told(Setting::terminal(80), Verbosity::Normal);
    let progress = told.by_hand();
    let details = progress.details();
    drop(progress);
    details.update(&[(Symbol::Done, Line::from("too late"))], Some("too late".to_owned()));
    assert_eq!(told.stderr(), "");
    let told = self::told(Setting::terminal(80), Verbosity::Quiet);
    activation(&told, &told.by_hand());
    assert_eq!(told.stderr(), "");
}
