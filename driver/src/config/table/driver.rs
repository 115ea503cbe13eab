//! Settings of the driver itself, its threads and its files. `[any]`

use super::{I32_MAX, I64_MAX, TERM_MAX, settings};
use crate::config::choice::{IdleStrategyName, TerminationValidator, ThreadNaming, ThreadingMode};
use crate::config::setting::Unknown;

settings! { DRIVER:
    path() "AERON_DIR" Driver = directory,
        "The directory whose files the driver shares with its clients; nobody else may own it, and it may not be \
         a link.";
    choice(gannet_transport_ipc::Sharing, Unknown::Default) "GANNET_DIR_MODE" Driver = sharing,
        "Who besides the driver's user may use the directory: nobody, its group, or every user. Whoever may use \
         it is trusted as the driver itself.";
    meta() "GANNET_SMALL" Driver,
        "Take the defaults of the small profile, with which a driver and an IPC publication fit a shared-memory \
         file system of 64 MiB.";
    meta() "GANNET_STRICT" Driver,
        "Do not start when a value would not be taken as given, or when a name is unknown.";
    switch() "AERON_DIR_DELETE_ON_START" Driver = delete_directory_on_start,
        "Delete an existing directory at the start without asking whether a driver lives in it.";
    switch() "AERON_DIR_DELETE_ON_SHUTDOWN" Driver = delete_directory_on_shutdown,
        "Delete the directory after an orderly stop.";
    switch() "AERON_DIR_WARN_IF_EXISTS" Driver = warn_if_directory_exists,
        "Say on standard error at the start that the directory exists, and how old the heartbeat in it is.";
    switch() "AERON_PRINT_CONFIGURATION" Driver = print_configuration,
        "Print the configuration to standard output at the start.";
    switch() "AERON_ENABLE_EXPERIMENTAL_FEATURES" Driver = enable_experimental_features,
        "Allow features that are not settled.";
    choice(TerminationValidator, Unknown::Refused) "AERON_DRIVER_TERMINATION_VALIDATOR" Driver = termination_validator,
        "Whether a client's request to terminate the driver is obeyed.";
    number(Unsigned, 0, I64_MAX) "AERON_DRIVER_TIMEOUT" Driver = driver_timeout_ms,
        "Milliseconds without a heartbeat after which the driver of an existing directory counts as dead.";
    duration(1000) "AERON_CLIENT_LIVENESS_TIMEOUT" Driver = client_liveness_timeout_ns,
        "Time without a keepalive after which a client counts as dead and its resources go; clients take it from \
         the CnC file.";
    duration(1000) "AERON_TIMER_INTERVAL" Driver = timer_interval_ns,
        "Time between the conductor's looks at time-outs, and between its heartbeats.";
    duration(0) "AERON_COUNTERS_FREE_TO_REUSE_TIMEOUT" Driver = counter_free_to_reuse_timeout_ns,
        "Time that a freed counter's id rests before it is used again.";
    number(Signed64, 1, I32_MAX) "AERON_DRIVER_RESOURCE_FREE_LIMIT" Driver = resource_free_limit,
        "Log files that are freed in one cycle of the native-resource agent.";
    duration(0) "AERON_DRIVER_CONDUCTOR_CYCLE_THRESHOLD" Driver = conductor_cycle_threshold_ns,
        "A conductor's duty cycle that takes longer is counted.";
    duration(0) "AERON_DRIVER_SENDER_CYCLE_THRESHOLD" Driver = sender_cycle_threshold_ns,
        "A sender's duty cycle that takes longer is counted.";
    duration(0) "AERON_DRIVER_RECEIVER_CYCLE_THRESHOLD" Driver = receiver_cycle_threshold_ns,
        "A receiver's duty cycle that takes longer is counted.";
}

settings! { THREADS:
    choice(ThreadingMode, Unknown::Default) "AERON_THREADING_MODE" Threads = threading_mode,
        "Which of the agents (conductor, sender, receiver, native resources) share a thread.";
    choice(ThreadNaming, Unknown::Default) "AERON_THREAD_NAMING" Threads = thread_naming,
        "How the threads are called.";
    choice(IdleStrategyName, Unknown::Refused) "AERON_CONDUCTOR_IDLE_STRATEGY" Threads = conductor_idle_strategy.name,
        "How the conductor waits, in the modes DEDICATED and SHARED_NETWORK.";
    text() "AERON_CONDUCTOR_IDLE_STRATEGY_INIT_ARGS" Threads = conductor_idle_strategy.init_args,
        "Its strategy's arguments: for backoff `spins-yields-shortest-longest`, such as 10-20-1us-1ms; for \
         sleep-ns a duration.";
    choice(IdleStrategyName, Unknown::Refused) "AERON_SENDER_IDLE_STRATEGY" Threads = sender_idle_strategy.name,
        "How the sender waits, in the mode DEDICATED.";
    text() "AERON_SENDER_IDLE_STRATEGY_INIT_ARGS" Threads = sender_idle_strategy.init_args,
        "Its strategy's arguments.";
    choice(IdleStrategyName, Unknown::Refused) "AERON_RECEIVER_IDLE_STRATEGY" Threads = receiver_idle_strategy.name,
        "How the receiver waits, in the mode DEDICATED.";
    text() "AERON_RECEIVER_IDLE_STRATEGY_INIT_ARGS" Threads = receiver_idle_strategy.init_args,
        "Its strategy's arguments.";
    choice(IdleStrategyName, Unknown::Refused) "AERON_SHAREDNETWORK_IDLE_STRATEGY" Threads
        = shared_network_idle_strategy.name,
        "How sender and receiver wait, in the mode SHARED_NETWORK.";
    text() "AERON_SHAREDNETWORK_IDLE_STRATEGY_INIT_ARGS" Threads = shared_network_idle_strategy.init_args,
        "Their strategy's arguments.";
    choice(IdleStrategyName, Unknown::Refused) "AERON_SHARED_IDLE_STRATEGY" Threads = shared_idle_strategy.name,
        "How the one thread waits, in the mode SHARED.";
    text() "AERON_SHARED_IDLE_STRATEGY_INIT_ARGS" Threads = shared_idle_strategy.init_args,
        "Its strategy's arguments.";
    choice(IdleStrategyName, Unknown::Refused) "AERON_DRIVER_NATIVE_RESOURCE_AGENT_IDLE_STRATEGY" Threads
        = native_resource_agent_idle_strategy.name,
        "How the native-resource agent waits, where it has a thread of its own.";
    text() "AERON_DRIVER_NATIVE_RESOURCE_AGENT_IDLE_STRATEGY_INIT_ARGS" Threads
        = native_resource_agent_idle_strategy.init_args,
        "Its strategy's arguments; the default is dropped when a strategy is chosen.";
    number(Signed32, -1, 255) "AERON_CONDUCTOR_CPU_AFFINITY" Threads = conductor_cpu_affinity,
        "The core of the conductor's thread, or of the one thread in the mode SHARED; -1 for any.";
    number(Signed32, -1, 255) "AERON_SENDER_CPU_AFFINITY" Threads = sender_cpu_affinity,
        "The core of the sender's thread, or of sender and receiver in the mode SHARED_NETWORK; -1 for any.";
    number(Signed32, -1, 255) "AERON_RECEIVER_CPU_AFFINITY" Threads = receiver_cpu_affinity,
        "The core of the receiver's thread; -1 for any.";
    number(Signed32, -1, 255) "AERON_DRIVER_NATIVE_RESOURCE_AGENT_CPU_AFFINITY" Threads
        = native_resource_agent_cpu_affinity,
        "The core of the native-resource agent's thread; -1 for any.";
    switch() "AERON_THREAD_AFFINITY_USE_CPUSET_OFFSETS" Threads = thread_affinity_use_cpuset_offsets,
        "Count the cores above from 0 within those that the process's cgroup allows.";
    switch() "AERON_THREAD_AFFINITY_FAIL_ON_VALIDATION_ERRORS" Threads = thread_affinity_fail_on_validation_errors,
        "Do not start when the cores above are questionable, instead of warning.";
}

settings! { FILES:
    size(1_049_344, I32_MAX) "AERON_CONDUCTOR_BUFFER_LENGTH" Files = to_driver_buffer_length,
        "The ring of commands from clients, with its trailer of 768 bytes; without it a power of two.";
    size(1_048_704, I32_MAX) "AERON_CLIENTS_BUFFER_LENGTH" Files = to_clients_buffer_length,
        "The broadcast buffer to clients, with its trailer of 128 bytes; without it a power of two.";
    size(1_048_576, 524_288_000) "AERON_COUNTERS_BUFFER_LENGTH" Files = counters_values_buffer_length,
        "The counters' values, 128 bytes each; their labels take four times as much in addition.";
    size(4_194_304, I32_MAX) "AERON_ERROR_BUFFER_LENGTH" Files = error_buffer_length,
        "The log of distinct errors.";
    size(1024, I32_MAX) "AERON_LOSS_REPORT_BUFFER_LENGTH" Files = loss_report_buffer_length,
        "The report of lost data, filled up to whole pages.";
    size(4096, I32_MAX) "AERON_FILE_PAGE_SIZE" Files = file_page_size,
        "All files' lengths are multiples of it: a power of two up to 1g, that of the huge pages if the directory \
         is on hugetlbfs.";
    switch() "AERON_TERM_BUFFER_SPARSE_FILE" Files = term_buffer_sparse_file,
        "Leave logs sparse and reserve their space ahead of the publisher, instead of reserving all of it when \
         they are created.";
    size(4096, TERM_MAX) "GANNET_LOG_RESERVATION_STEP" Files = log_reservation_step,
        "By how much the reserved space of a sparse log grows at least.";
    switch() "AERON_PERFORM_STORAGE_CHECKS" Files = perform_storage_checks,
        "Refuse a log that is longer than what the file system has left.";
    size(0, I64_MAX) "AERON_LOW_FILE_STORE_WARNING_THRESHOLD" Files = low_file_store_warning_threshold,
        "Record a warning for each log that is created when no more than this is left in the file system.";
}
