//! The systems that are measured, and their processes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::Redis;

/// A way to run a queue.
#[derive(Clone)]
pub struct System {
    pub name: &'static str,
    command: Vec<String>,
}

impl System {
    pub const OURS: &str = "HA Jenkins";
    pub const BARE: &str = "bare RPUSH + BRPOP";
    pub const PRIOR_ART: &str = "prior art's scheme";
    pub const BULLMQ: &str = "BullMQ";

    /// Those that can be run here; says which cannot.
    pub fn all(arguments: &[&str]) -> Vec<Self> {
        let own = std::env::current_exe().unwrap().display().to_string();
        let option = |name: &str| {
            arguments
                .iter()
                .position(|argument| *argument == name)
                .and_then(|at| arguments.get(at + 1).copied())
        };
        let mut all = vec![
            Self {
                name: Self::OURS,
                command: vec![own.clone(), "role".into(), "{role}".into(), "ours".into()],
            },
            Self { name: Self::BARE, command: vec![own, "role".into(), "{role}".into(), "bare".into()] },
        ];
        match option("--prior-art") {
            Some(class_path) => {
                let class = "io.jenkins.plugins.ha.benchmarks.PriorArt";
                let java = ["java", "-cp", class_path, class, "{role}"].map(str::to_owned).to_vec();
                all.push(Self { name: Self::PRIOR_ART, command: java });
            }
            None => eprintln!("skipped: {}: no class path given", Self::PRIOR_ART),
        }
        match option("--bullmq") {
            Some(folder) => {
                let script = Path::new(folder).join("player.mjs").display().to_string();
                all.push(Self { name: Self::BULLMQ, command: vec!["node".into(), script, "{role}".into()] });
            }
            None => eprintln!("skipped: {}: no folder given", Self::BULLMQ),
        }
        all
    }

    /// Starts a process that produces or takes.
    pub fn start(&self, role: &str, redis: &Redis, name: &str) -> Player {
        let words: Vec<String> = self.command.iter().map(|word| word.replace("{role}", role)).collect();
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .args([&redis.port.to_string(), name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", words.join(" ")));
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut player = Player { child, input, output };
        assert_eq!(player.answer(), [role], "{}", self.name);
        player
    }
}

/// A process that does what it is told; ended when dropped.
pub struct Player {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Player {
    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
        self.input.flush().unwrap();
    }

    /// The words of the next line.
    pub fn answer(&mut self) -> Vec<String> {
        let mut line = String::new();
        assert!(self.output.read_line(&mut line).unwrap() > 0, "a process of the measurement has ended");
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// The numbers of the next line, which must begin with `word`.
    pub fn numbers(&mut self, word: &str) -> Vec<u128> {
        let words = self.answer();
        assert_eq!(words[0], word);
        words[1..].iter().map(|number| number.parse().unwrap()).collect()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
