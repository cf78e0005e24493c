//! Files that are sent instead of webhooks: lists of patients, and the same lists a day later.

use bridge_core::id::ConnectionId;
use bridge_pipeline::{
    files::{DROPS, FileState},
    ports::{FilePorts as _, Files as _},
    queries::Standing,
};

use crate::{failure::Failure, system::Pipeline};

/// Whose they are.
pub(super) const CONNECTION: &str = "bench.source";
/// Of a hundred rows one has changed a day later.
pub(super) const ONE_IN: usize = 100;

/// A list of these patients, on one day or another: about as long as rows of such lists are.
pub(super) fn list(rows: std::ops::Range<usize>, day: usize) -> String {
    let row = |number: usize| {
        let mut chance = fastrand::Rng::with_seed(number as u64);
        let mut digits = |count: usize| (0..count).map(|_| chance.digit(10)).collect::<String>();
        let family = if day > 0 && number.is_multiple_of(ONE_IN) { "Renamed" } else { "Benchmark" };
        format!(
            "{number},Bea,{family}{number},19{}-03-1{},female,\"{} Synthetic Street, Nowhere, OH 4{}\",555-01{},bea.{number}@bench.example\n",
            digits(2),
            digits(1),
            digits(4),
            digits(4),
            digits(2)
        )
    };
    "id,given,family,born,sex,address,phone,email\n".to_owned() + &rows.map(row).collect::<String>()
}

/// Drops a file.
pub(super) async fn drop_file(pipeline: &Pipeline, name: &str, text: String) -> Result<(), Failure> {
    Ok(pipeline.ports().files().put(&format!("{DROPS}{CONNECTION}/{name}"), text.into_bytes()).await?)
}

/// How many of its rows have been delivered; none before it has been read.
pub(super) async fn delivered(pipeline: &Pipeline, name: &str) -> Result<u64, Failure> {
    let connection: ConnectionId = CONNECTION.parse().map_err(|error| Failure::World(format!("{error}")))?;
    let files = pipeline.files(&connection, 10).await?;
    let Some(file) = files.into_iter().find(|file| file.name == name && file.state.is_final()) else {
        return Ok(0);
    };
    if file.state != FileState::Done {
        let cause = file.cause.map(|cause| cause.to_string()).unwrap_or_default();
        return Err(Failure::World(format!("a file of the benchmark is {}: {cause}", file.state.word())));
    }
    let source = pipeline.connection(&connection).await?;
    let Some(feed) = source.as_ref().and_then(|source| source.connection.feeds.get(&file.feed)) else {
        return Ok(0);
    };
    let now = pipeline.rows_now(&file, feed).await?.unwrap_or_default();
    Ok(now.standing.get(&Standing::Delivered).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundredth_of_a_list_changes_in_a_day() {
        let (first, second) = (list(0..1_000, 0), list(0..1_000, 1));
        assert_eq!(first.lines().zip(second.lines()).filter(|(a, b)| a != b).count(), 10);
        assert!((100..150).contains(&(first.len() / 1_000)), "{}", first.len());
    }
}
