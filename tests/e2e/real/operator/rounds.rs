//! Many rounds with one disturbance each, at random moments.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use super::process::{Behaviour, Kill, Outcome};
use super::scene::{Judged, Said, Scene, Step, condition};

/// Number of rounds; each is a dry run, an activation and, if that fails, an abort.
const ROUNDS: &str = "ESS_MAS_REAL_ROUNDS";
/// The seed of the random numbers, to repeat the same disturbances.
const SEED: &str = "ESS_MAS_REAL_SEED";

/// The disturbance while the plugin works.
#[derive(Clone, Copy, Debug)]
enum Disturbance {
    Nothing,
    /// The operator is killed and restarts after a pause.
    Kill(Kill, Duration),
    /// The same, but the operator is already down when the plugin starts.
    Down(Duration),
    /// Another client makes an irrelevant change.
    Annotation,
    /// The same twice in quick succession.
    TwoAnnotations,
    /// A reconcile is in progress when the plugin starts.
    Busy,
}

/// xorshift64*: the disturbances need variety, not unpredictability.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33
    }

    fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.next() % most)
    }

    fn disturbance(&mut self) -> Disturbance {
        let down = self.millis(1500);
        match self.next() % 9 {
            0 => Disturbance::Nothing,
            1 | 2 => Disturbance::Kill(Kill::WithItsRun, down),
            3 | 4 => Disturbance::Kill(Kill::Alone, down),
            5 => Disturbance::Down(down),
            6 => Disturbance::Annotation,
            7 => Disturbance::TwoAnnotations,
            _ => Disturbance::Busy,
        }
    }
}

#[derive(Default)]
struct Numbers {
    said: BTreeMap<String, usize>,
    disturbances: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

async fn disturb(scene: &mut Scene, disturbance: Disturbance, pause: Duration) {
    match disturbance {
        Disturbance::Nothing | Disturbance::Busy => {}
        Disturbance::Kill(kill, down) => {
            tokio::time::sleep(pause).await;
            scene.operator.kill(kill).unwrap();
            tokio::time::sleep(down).await;
            scene.operator.resume().unwrap();
        }
        Disturbance::Down(down) => {
            tokio::time::sleep(down).await;
            scene.operator.resume().unwrap();
        }
        Disturbance::Annotation => {
            tokio::time::sleep(pause).await;
            scene.annotate().await;
        }
        Disturbance::TwoAnnotations => {
            tokio::time::sleep(pause).await;
            scene.annotate().await;
            tokio::time::sleep(Duration::from_millis(30)).await;
            scene.annotate().await;
        }
    }
}

/// One call of the plugin with one disturbance.
async fn disturbed(scene: &mut Scene, step: Step, random: &mut Random, numbers: &mut Numbers) -> Said {
    let (disturbance, pause) = (random.disturbance(), random.millis(5000));
    let name = format!("{disturbance:?}").split(['(', ' ']).next().unwrap_or_default().to_owned();
    *numbers.disturbances.entry(name).or_default() += 1;
    match disturbance {
        Disturbance::Busy => {
            let count = scene.runs();
            scene.annotate().await;
            scene.run_begun_after(count).await;
        }
        Disturbance::Down(_) => scene.operator.kill(Kill::WithItsRun).unwrap(),
        _ => {}
    }
    let child = scene.begin(step, &[]);
    disturb(scene, disturbance, pause).await;
    let Judged { said, wrong, done } = scene.end(step, child).await;
    let key = if said == Said::Unchanged {
        format!("{step:?} Unchanged ({})", done.code)
    } else {
        format!("{step:?} {said:?}")
    };
    println!("  {key} under {disturbance:?} after {pause:?}");
    if said == Said::Nothing || (said == Said::Unchanged && done.code == 1) {
        println!("{done}");
    }
    *numbers.said.entry(key).or_default() += 1;
    if let Some(wrong) = wrong {
        numbers.wrong.push(format!("under {disturbance:?} after {pause:?}: {wrong}"));
    }
    said
}

/// Repeats the step until it succeeds, and judges each verdict.
async fn reach(scene: &mut Scene, step: Step, random: &mut Random, numbers: &mut Numbers) {
    for _ in 0..4 {
        if disturbed(scene, step, random, numbers).await == Said::Succeeded {
            return;
        }
    }
    let Judged { said, wrong, done } = scene.run(step, &[]).await;
    numbers.wrong.extend(wrong);
    if said != Said::Succeeded && done.code != 0 {
        numbers.wrong.push(format!("{step:?} never reaches its goal\n{done}\n{}", scene.operator.log()));
    }
}

async fn round(scene: &mut Scene, random: &mut Random, numbers: &mut Numbers) {
    let outcomes = [Outcome::Good, Outcome::Fail, Outcome::Censored];
    // Failing dry runs are repeated by hand, so they come to an end.
    let dry_run = outcomes[usize::try_from(random.next() % 3).unwrap_or(0)];
    if dry_run != Outcome::Good {
        scene.operator.set(Behaviour { dry_run, ..Behaviour::default() }).unwrap();
        disturbed(scene, Step::DryRun, random, numbers).await;
        scene.operator.set(Behaviour::default()).unwrap();
    }
    reach(scene, Step::DryRun, random, numbers).await;
    let activation = [Outcome::Good, Outcome::Fail, Outcome::Fail, Outcome::Censored];
    let activation = activation[usize::try_from(random.next() % 4).unwrap_or(0)];
    scene.operator.set(Behaviour { activation, ..Behaviour::default() }).unwrap();
    let said = disturbed(scene, Step::Activate, random, numbers).await;
    if said != Said::Succeeded {
        reach(scene, Step::Abort, random, numbers).await;
    }
    scene.operator.set(Behaviour::default()).unwrap();
    // Restores the initial state. A completed migration cannot be aborted, so another client removes MAS.
    if said != Said::Succeeded {
        reach(scene, Step::Remove, random, numbers).await;
        return;
    }
    let taken_out = json!({"spec": {"components": {"matrixAuthenticationService": null}}});
    scene.patch(taken_out).await;
    scene
        .until("the component is taken out", |object| {
            condition(object, "Successful") == "True" && object["status"]["mas_active"] == json!(false)
        })
        .await;
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn no_disturbance_at_any_moment_makes_a_verdict_false() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number(ROUNDS).unwrap_or(6);
    let seed = number(SEED).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_micros()).unwrap_or(1)
    });
    println!("{SEED}={seed}");
    let (mut random, mut numbers, begun) = (Random(seed | 1), Numbers::default(), Instant::now());
    let mut scene = Scene::prepared(Behaviour::default()).await;
    for count in 1..=rounds {
        println!("round {count}, {:?} since the beginning", begun.elapsed());
        round(&mut scene, &mut random, &mut numbers).await;
    }
    let calls: usize = numbers.said.values().sum();
    println!("{rounds} rounds, {calls} calls of the plugin in {:?}", begun.elapsed());
    println!("disturbances: {:?}", numbers.disturbances);
    println!("verdicts: {:?}", numbers.said);
    println!("false verdicts: {}", numbers.wrong.len());
    assert!(numbers.wrong.is_empty(), "{}", numbers.wrong.join("\n"));
}
