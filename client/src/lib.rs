//! The Aeron client: publications, subscriptions, images and counters over shared memory.
