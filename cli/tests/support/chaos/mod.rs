//! A world that misbehaves: Practice Studio and products that fail in every way, and what must be true afterwards.

pub(crate) mod products;
pub(crate) mod studio;
pub(crate) mod troubles;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bridge_simulators::nexhealth::NexHealth;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{acknowledged, eventually, eventually_or, run};
use products::{Kind, Party};
use studio::Studio;
use troubles::Troubles;

/// What sources show at the door.
pub(crate) const KEY: &str = "synthetic-chaos-key";
/// Requests at the same time.
const AT_ONCE: usize = 20;
/// Of ten deliveries so many go to Practice Studio, the rest to products. `DrChrono` takes 500 calls an hour: its share of
/// five thousand deliveries is eighty, each with a search before it, and some again.
const TO_STUDIO: usize = 9;
/// So many bookings are said yes to, and never made.
const IN_VAIN: usize = 3;
/// A party is given another trouble no sooner than this.
const PAUSE: Duration = Duration::from_millis(100);
/// The code of the cause with which a delivery waits that was said yes to, and not done.
const UNCONFIRMED: &str = "delivery.unconfirmed";

/// One message of a run.
#[derive(Debug, Clone, Copy)]
struct Sent {
    party: usize,
    lane: usize,
    /// It is said yes to, and never done.
    never: bool,
}

/// The world.
pub(crate) struct World {
    studio: Arc<Studio>,
    nexhealth: Arc<NexHealth>,
    parties: Vec<Party>,
    /// By number.
    messages: Vec<Sent>,
    /// The ids that the door gave to them.
    ids: Mutex<BTreeMap<usize, String>>,
    client: Client,
    is_calm: AtomicBool,
}

impl World {
    /// With so many deliveries to come, each patient's in a lane of its own.
    pub(crate) async fn new(deliveries: usize, lanes: usize) -> Self {
        let (studio, nexhealth) = (Arc::<Studio>::default(), Arc::<NexHealth>::default());
        let parties = Party::all(&studio, &nexhealth).await;
        let products = parties.len() - 1;
        let sent = |number: usize| {
            let (turn, of_ten) = (number / 10, number % 10);
            let (party, lanes) = match of_ten < TO_STUDIO {
                true => (0, lanes),
                false => (1 + (turn * (10 - TO_STUDIO) + of_ten) % products, (lanes / products).max(2)),
            };
            Sent { party, lane: number % lanes, never: false }
        };
        let mut messages: Vec<Sent> = (0..deliveries).map(sent).collect();
        let booked = parties.iter().position(|party| party.kind == Kind::Bookings).unwrap();
        messages.extend((0..IN_VAIN).map(|number| Sent { party: booked, lane: lanes + number, never: true }));
        let client = Client::builder().timeout(Duration::from_secs(15)).build().unwrap();
        Self {
            studio,
            nexhealth,
            parties,
            messages,
            ids: Mutex::default(),
            client,
            is_calm: AtomicBool::new(false),
        }
    }

    /// Applies the practice and its connections.
    pub(crate) fn configure(&self, state: &Path) {
        let folder = state.join("chaos");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("tenant.yaml"), "tenant: chaos\nname: Chaos\n").unwrap();
        for connection in self.parties.iter().flat_map(Party::connections) {
            let name = connection["connection"].as_str().unwrap();
            // YAML takes JSON.
            fs::write(folder.join(format!("{name}.yaml")), connection.to_string()).unwrap();
        }
        let applied = run(state, &["connections", "apply", folder.to_str().unwrap(), "--reason", "chaos"]);
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    }

    /// Sends these messages: each lane's one after the other, lanes side by side, every tenth twice, and each until it is
    /// acknowledged. `gateway` is asked before every try.
    async fn send_these(self: &Arc<Self>, numbers: Vec<usize>, gateway: &Arc<Mutex<String>>) {
        let mut lanes: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for number in numbers {
            let Sent { party, lane, .. } = self.messages[number];
            lanes.entry((party, lane)).or_default().push(number);
        }
        let free = Arc::new(Semaphore::new(AT_ONCE));
        let mut sending = tokio::task::JoinSet::new();
        for numbers in lanes.into_values() {
            let (world, free, gateway) = (Arc::clone(self), Arc::clone(&free), Arc::clone(gateway));
            sending.spawn(async move {
                for number in numbers {
                    for _ in 0..if number % 10 == 0 { 2 } else { 1 } {
                        let _one_of_many = free.acquire().await.unwrap();
                        world.post(number, &gateway).await;
                    }
                }
            });
        }
        while let Some(done) = sending.join_next().await {
            done.unwrap();
        }
    }

    async fn post(&self, number: usize, gateway: &Mutex<String>) {
        let Sent { party, lane, .. } = self.messages[number];
        let party = &self.parties[party];
        let address = || {
            let gateway = gateway.lock().unwrap_or_else(PoisonError::into_inner);
            format!("{gateway}/webhooks/chaos.to-{}", party.name)
        };
        let answer = acknowledged(&self.client, &address, KEY, &party.message(lane, number)).await;
        let id = answer["accepted"][0].as_str().unwrap().to_owned();
        let before = self.ids.lock().unwrap().insert(number, id.clone());
        assert!(before.is_none_or(|before| before == id), "the same message has another id");
    }

    /// The first message of each party, while all is calm: tokens are fetched. Products that spend a refresh token by an
    /// answer that is lost want a person after it, whatever the bridge does.
    pub(crate) async fn begin(self: &Arc<Self>, gateway: &Arc<Mutex<String>>) {
        let first = |party| self.messages.iter().position(|sent| sent.party == party);
        let firsts: Vec<usize> = (0..self.parties.len()).filter_map(first).collect();
        assert_eq!(firsts.len(), self.parties.len(), "too few deliveries for all parties");
        self.send_these(firsts.clone(), gateway).await;
        eventually("the first of each", Duration::from_secs(120), || {
            (self.taken() >= firsts.len()).then_some(())
        });
    }

    /// All others.
    pub(crate) async fn send(self: Arc<Self>, gateway: Arc<Mutex<String>>) {
        let numbers = (0..self.messages.len()).filter(|number| !self.messages[*number].never);
        self.send_these(numbers.collect(), &gateway).await;
    }

    /// Bookings that the product says yes to, and that its office will never make.
    pub(crate) async fn send_in_vain(self: &Arc<Self>, gateway: &Arc<Mutex<String>>) {
        self.nexhealth.refuse_write_backs(true);
        let numbers = (0..self.messages.len()).filter(|number| self.messages[*number].never);
        self.send_these(numbers.collect(), gateway).await;
        eventually("what is never done to be said yes to", Duration::from_secs(120), || {
            (self.taken() == self.messages.len()).then_some(())
        });
    }

    /// Waits until all but these have had their effect.
    pub(crate) fn settle(&self, within: Duration) {
        let is_done = || (self.taken() + IN_VAIN >= self.messages.len()).then_some(());
        eventually_or(within, is_done, || format!("everything taken, but {}", self.standing()));
    }

    /// Makes trouble until it is told to end; what was met, by party.
    pub(crate) async fn make_trouble(self: Arc<Self>, seed: u64) -> Vec<BTreeMap<&'static str, usize>> {
        let mut troubles: Vec<Troubles> =
            (0..self.parties.len()).map(|party| Troubles::new(seed + party as u64)).collect();
        while !self.is_calm.load(Ordering::Relaxed) {
            for (party, troubles) in self.parties.iter().zip(&mut troubles) {
                troubles.next(&party.served);
            }
            tokio::time::sleep(PAUSE).await;
        }
        for (party, troubles) in self.parties.iter().zip(&mut troubles) {
            troubles.end(&party.served);
        }
        troubles.into_iter().map(|troubles| troubles.met).collect()
    }

    /// No more trouble.
    pub(crate) fn calm_down(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    /// How often each party refused a call because its own limit was exceeded, beside the times that it was told to say so; and
    /// how often it was called.
    pub(crate) fn refusals(&self, met: &[BTreeMap<&'static str, usize>]) -> Vec<(usize, u64)> {
        let of = |(party, met): (&Party, &BTreeMap<_, usize>)| {
            let calls = party.served.calls();
            let refused = calls.latest().iter().filter(|call| call.status == 429).count();
            (refused.saturating_sub(met.get("too often").copied().unwrap_or_default()), calls.total())
        };
        self.parties.iter().zip(met).map(of).collect()
    }

    /// Names of the parties.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.parties.iter().map(|party| party.name).collect()
    }

    /// Messages that have had their effect.
    pub(crate) fn taken(&self) -> usize {
        self.parties.iter().map(|party| self.taken_by(party)).sum()
    }

    fn taken_by(&self, party: &Party) -> usize {
        match party.kind {
            Kind::Visits => self.studio.effects().len(),
            Kind::People | Kind::Bookings => party.taken().0.len(),
        }
    }

    /// How many messages each party has taken of those that are for it.
    pub(crate) fn standing(&self) -> String {
        let of = |(number, party): (usize, &Party)| {
            let sent = self.messages.iter().filter(|sent| sent.party == number && !sent.never).count();
            format!("{} {} of {sent}", party.name, self.taken_by(party))
        };
        self.parties.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
    }

    /// How many messages there are.
    pub(crate) fn messages(&self) -> usize {
        self.messages.len()
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.parties.iter().map(|party| party.served.calls().total()).sum()
    }

    /// How often Practice Studio was sent what it had.
    pub(crate) fn repeats(&self) -> usize {
        self.studio.calls() - self.studio.effects().len()
    }

    /// Holds every row of the ledger against the books: no loss, one effect each, in the order of its lane, and an end
    /// that is true.
    pub(crate) fn verify(&self, state: &Path, within: Duration) {
        let limit = (self.messages.len() + 10).to_string();
        let list = |more: &[&str]| {
            let args = [&["messages", "list", "--tenant", "chaos", "--limit", &limit], more].concat();
            super::json(state, &args)
        };
        // Receivers know before the ledger does.
        let never = self.messages.iter().filter(|sent| sent.never).count();
        eventually("the ledger to agree", within, || {
            (list(&["--state", "delivered"]).len() + never == self.messages.len()).then_some(())
        });
        let rows = list(&[]);
        assert_eq!(rows.len(), self.messages.len(), "the ledger has what was sent, and nothing else");
        let rows: BTreeMap<&str, &Value> =
            rows.iter().map(|row| (row["message"].as_str().unwrap(), row)).collect();
        let taken: Vec<_> = self.parties.iter().map(Party::taken).collect();
        let ids = self.ids.lock().unwrap();
        for (number, sent) in self.messages.iter().enumerate() {
            let row = rows[ids[&number].as_str()];
            self.check(number, *sent, row, &taken[sent.party].0);
        }
        self.check_order(&taken.into_iter().map(|(_, order)| order).collect::<Vec<_>>());
    }

    fn check(&self, number: usize, sent: Sent, row: &Value, taken: &BTreeMap<usize, usize>) {
        let party = &self.parties[sent.party];
        let deliveries = row["deliveries"].as_array().unwrap();
        assert_eq!(deliveries.len(), 1, "{row}");
        let end = (row["state"].as_str().unwrap(), row["cause"]["code"].as_str());
        let expected = if sent.never { ("waiting", Some(UNCONFIRMED)) } else { ("delivered", None) };
        assert_eq!(end, expected, "message {number} to {}: {row}", party.name);
        match party.kind {
            Kind::Visits => {
                let effects = self.studio.effects();
                let effect = &effects[deliveries[0].as_str().unwrap()];
                assert_eq!(effect.number, number, "another message's key");
            }
            Kind::People | Kind::Bookings => {
                assert_eq!(taken.get(&number), Some(&1), "message {number} at {}", party.name);
            }
        }
    }

    /// Each party took each lane's messages in the order in which they were sent.
    fn check_order(&self, taken: &[Vec<usize>]) {
        let effects = self.studio.effects();
        let mut visits: Vec<(usize, usize)> =
            effects.values().map(|effect| (effect.place, effect.number)).collect();
        visits.sort_unstable();
        let visits: Vec<usize> = visits.into_iter().map(|(_, number)| number).collect();
        let to_studio = self.messages.iter().filter(|sent| sent.party == 0).count();
        assert_eq!(visits.len(), to_studio, "one effect for each key, and none besides");
        assert_eq!(visits.iter().collect::<BTreeSet<_>>().len(), to_studio, "two keys for one message");
        for order in taken.iter().chain([&visits]) {
            let mut last: BTreeMap<usize, usize> = BTreeMap::new();
            for number in order {
                let before = last.insert(self.messages[*number].lane, *number);
                assert!(before.is_none_or(|before| before < *number), "{number} came after {before:?}");
            }
        }
    }
}
