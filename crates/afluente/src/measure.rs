//! The Prometheus recorder: in-process counters, rendered when asked.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::exit::Failure;

/// Buckets of every duration, seconds: from a single fsync to a gateway's patience.
const SECONDS: [f64; 14] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// Buckets of batch sizes.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// How often the recorder puts its samples together.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Keeps the recorder's memory flat until `shutdown` ends: it holds every sample of a histogram until somebody puts them
/// together, and where nobody scrapes nobody else does.
pub(crate) async fn keep_up(metrics: PrometheusHandle, shutdown: impl Future<Output = ()>) {
    let mut every = tokio::time::interval(UPKEEP_EVERY);
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            _ = every.tick() => metrics.run_upkeep(),
        }
    }
}

/// Installs the recorder. Once a process, before anything counts.
pub(crate) fn install() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_batch_size".to_owned()), &SIZES))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Failure::unavailable(&error))
}
