//! Runs windlass in a case and compares exit code and output.

use std::fs;
use std::io::{Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::case::Running;
use super::compare::{self, Mismatch};
use super::steps::{self, Run, Step};
use super::{file_of, result_text, result_yaml, terminal};

/// No command of a case takes that long unless it hangs.
const LIMIT: Duration = Duration::from_secs(60);

struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Running<'_> {
    /// Carries out the `number`th `run` step.
    pub(super) fn run(&self, step: &Run, number: usize) -> Result<Vec<Mismatch>, String> {
        let command = self.command(step)?;
        if step.tty {
            return self.on_terminal(command, step, number);
        }
        let ended = AtomicBool::new(false);
        let (answer, found) = thread::scope(|scope| {
            let during = scope.spawn(|| self.during(step, &ended));
            let answer = finish(command, &step.stdin);
            ended.store(true, Ordering::SeqCst);
            let found = during.join().unwrap_or_else(|_| Err("a `during` step panicked".to_owned()));
            (answer, found)
        });
        let (answer, mut found) = (answer?, found?);
        self.trace(step, answer.code, &format!("{}--\n{}", answer.stdout, answer.stderr));
        found.extend(wrong_exit(step, number, answer.code));
        found.extend(self.compare_stdout(step, number, &answer.stdout)?);
        found.extend(self.compare_stderr(step, number, &answer.stderr)?);
        Ok(found)
    }

    fn command(&self, step: &Run) -> Result<Command, String> {
        let environment = &self.environment;
        let mut command = environment.windlass();
        command.args(step.run.iter().map(|argument| environment.places.fill(argument)));
        command.current_dir(environment.project().join(&step.cwd));
        for (name, value) in &step.env {
            command.env(name, environment.places.fill(&steps::text(value)));
        }
        if let (Some(user), Some(plane)) = (&step.r#as, environment.plane) {
            let path = environment.work().join(format!("kubeconfig-{user}"));
            plane.impersonate(user, &path).map_err(|error| error.to_string())?;
            command.env("KUBECONFIG", path);
        }
        Ok(command)
    }

    fn on_terminal(&self, command: Command, step: &Run, number: usize) -> Result<Vec<Mismatch>, String> {
        let (code, shown) = terminal::run(command, &step.r#type).map_err(|error| format!("terminal: {error}"))?;
        self.trace(step, code, &shown);
        let expected = self.expected(step.terminal.as_deref())?;
        let what = format!("step {number} terminal");
        let shown = self.environment.places.normal(&shown);
        Ok(wrong_exit(step, number, code).into_iter().chain(compare::lines(&what, &expected, &shown)).collect())
    }

    fn compare_stdout(&self, step: &Run, number: usize, text: &str) -> Result<Option<Mismatch>, String> {
        if step.ignore.iter().any(|stream| stream == "stdout") {
            return Ok(None);
        }
        let what = format!("step {number} stdout");
        let expected = self.expected(step.stdout.as_deref())?;
        let places = &self.environment.places;
        match step.result.as_deref() {
            Some(how @ ("full" | "brief")) => self.compare_result(&what, &expected, text, how),
            Some(_) => {
                let text = places.normal(&result_text::normal(text));
                Ok(compare::texts(&what, &expected, &text))
            }
            None if step.unordered.iter().any(|stream| stream == "stdout") => {
                Ok(compare::lines(&what, &expected, &places.normal(text)))
            }
            None => Ok(compare::texts(&what, &expected, &places.normal(text))),
        }
    }

    fn compare_result(&self, what: &str, expected: &str, text: &str, how: &str) -> Result<Option<Mismatch>, String> {
        let places = &self.environment.places;
        let text = result_text::values(text);
        let wanted = result_yaml::split(expected)?;
        let broken = |error: String| Mismatch::new(what, format!("{error}\n{text}"));
        let actual = match result_yaml::split(&text) {
            Ok(actual) => actual,
            Err(error) => return Ok(Some(broken(error))),
        };
        let (Some((wanted_head, wanted)), Some((head, mut result))) = (wanted, actual) else {
            return Ok(compare::texts(what, expected, &places.normal(&text)));
        };
        if let Err(error) = result_yaml::normal(&mut result, how == "full") {
            return Ok(Some(broken(error)));
        }
        let result = places.normal_value(result);
        Ok(compare::texts(what, wanted_head, &places.normal(head)).or_else(|| compare::values(what, &wanted, &result)))
    }

    fn compare_stderr(&self, step: &Run, number: usize, text: &str) -> Result<Option<Mismatch>, String> {
        if step.ignore.iter().any(|stream| stream == "stderr") {
            return Ok(None);
        }
        let text = match step.result {
            Some(_) => result_text::without_progress(text),
            None => text.to_owned(),
        };
        let expected = self.expected(step.stderr.as_deref())?;
        let text = self.environment.places.normal(&text);
        Ok(compare::lines(&format!("step {number} stderr"), &expected, &text))
    }

    /// Content of an expected file; no file stands for no output.
    pub(super) fn expected(&self, file: Option<&str>) -> Result<String, String> {
        let Some(file) = file else { return Ok(String::new()) };
        let path = file_of(&self.environment.case, file);
        let bytes = fs::read(&path).map_err(|error| format!("read `{}`: {error}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Carries out steps while the command runs, each as soon as its object exists.
    fn during(&self, run: &Run, ended: &AtomicBool) -> Result<Vec<Mismatch>, String> {
        let mut found = Vec::new();
        for value in &run.during {
            let step = steps::step(value)?;
            let object = match &step {
                Step::Patch(patch) => &patch.patch,
                Step::Get(get) => &get.get,
                _ => return Err(format!("`during` has no object to wait for: {value}")),
            };
            loop {
                // Read first: an object that appears with the command's end still counts.
                let last = ended.load(Ordering::SeqCst);
                if self.exists(object)? || last {
                    break;
                }
                thread::sleep(Duration::from_millis(100));
            }
            found.extend(self.step(&step, 0)?);
        }
        Ok(found)
    }

    fn exists(&self, object: &str) -> Result<bool, String> {
        let arguments: Vec<_> = ["get"].into_iter().chain(object.split_whitespace()).collect();
        Ok(self.kubectl(&arguments, "")?.success)
    }

    fn trace(&self, step: &Run, code: i32, output: &str) {
        if self.verbose {
            crate::servers::build::say(&format!("  $ {} -> {code}\n{output}", step.run.join(" ")));
        }
    }
}

fn wrong_exit(step: &Run, number: usize, code: i32) -> Option<Mismatch> {
    let expected = &step.exit;
    let wrong = expected != "any" && expected.as_i64().unwrap_or_default() != i64::from(code);
    wrong.then(|| Mismatch::new(format!("step {number} exit"), format!("{code}, expected {expected}\n")))
}

fn finish(mut command: Command, stdin: &str) -> Result<Answer, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("start windlass: {error}"))?;
    let input = child.stdin.take();
    let stdin = stdin.to_owned();
    // A command that does not read its input may close it.
    thread::spawn(move || input.map(|mut pipe| pipe.write_all(stdin.as_bytes())));
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let code = wait(&mut child)?;
    let text =
        |reader: thread::JoinHandle<Vec<u8>>| String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned();
    Ok(Answer { code, stdout: text(stdout), stderr: text(stderr) })
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn wait(child: &mut Child) -> Result<i32, String> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => return Ok(status.code().unwrap_or(-1)),
            None if started.elapsed() > LIMIT => {
                child.kill().map_err(|error| error.to_string())?;
                child.wait().map_err(|error| error.to_string())?;
                return Err(format!("windlass was killed after {} s", LIMIT.as_secs()));
            }
            None => thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
