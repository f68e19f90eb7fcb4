//! Every bound of the surfaces, in one place. The control domain's own bounds are in
//! [`leverframe_core::limit`], the stream's in [`leverframe_wire::frame`].

use std::time::Duration;

/// Largest body of an admin request, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Largest body of an OFREP request, in bytes.
pub(crate) const CONTEXT_BYTES_MAX: usize = 64 * 1024;
/// Most text prepared for the bulk answers of one environment, in bytes; flags beyond it are written
/// out anew each time.
pub(crate) const PHRASES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a body may take to arrive.
pub(crate) const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
pub(crate) const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// Most header lines of a request.
pub(crate) const HEADERS_MAX: usize = 64;
/// Most requests at once on one HTTP/2 connection.
pub(crate) const HTTP2_REQUESTS_MAX: u32 = 256;
/// Most connections a full server turns away politely at once; further ones are just closed.
pub(crate) const REFUSALS_MAX: usize = 64;
/// Longest wait of one that comes while every seat is taken, for one that is being freed.
pub(crate) const SEAT_WAIT_MAX: Duration = Duration::from_secs(1);
/// Most that wait so at once.
pub(crate) const SEAT_WAITERS_MAX: usize = 128;
/// Most idle connections that have to go at once when every seat is taken.
pub(crate) const EVICTIONS_AT_ONCE: usize = 32;
/// Longest wait of a poll for a snapshot that is being encoded.
pub(crate) const SNAPSHOT_WAIT_MAX: Duration = Duration::from_secs(10);
/// Longest wait for a confirmation that one request may ask for, in milliseconds.
pub(crate) const CONFIRMATION_WAIT_MS_MAX: u64 = 30_000;
/// Most things on one page of a list.
pub(crate) const PAGE_MAX: usize = 500;
/// How many things are on one page of a list when nobody says.
pub(crate) const PAGE_DEFAULT: usize = 100;
/// Most journal records looked at for one page of a filtered list.
pub(crate) const JOURNAL_SCAN_MAX: u64 = 20_000;
/// Most journal records read at once.
pub(crate) const JOURNAL_CHUNK: u64 = 500;
/// Most lines of a difference between two definitions that one answer has.
pub(crate) const DIFFERENCE_LINES_MAX: usize = 1_000;
/// Most definitions of one record whose difference one answer has.
pub(crate) const DIFFERENCES_MAX: usize = 20;
/// How long it is looked for the smallest difference between two definitions.
pub(crate) const DIFFERENCE_TIME_MAX: Duration = Duration::from_millis(200);
/// Most that read the journal for an answer at once.
pub(crate) const JOURNAL_READS_MAX: usize = 4;
/// Longest wait for a turn at that.
pub(crate) const JOURNAL_TURN_WAIT_MAX: Duration = Duration::from_secs(2);
/// Most exports of the journal at once.
pub(crate) const EXPORTS_MAX: usize = 4;
/// Most digits of a revision in an `If-Match`; no journal gets that long.
pub(crate) const REVISION_DIGITS_MAX: usize = 19;
/// Longest `via` of a record, in bytes.
pub(crate) const VIA_BYTES_MAX: usize = 64;
/// Longest bearer token that is looked at, in bytes.
pub(crate) const SECRET_BYTES_MAX: usize = 256;
/// Counters of tokens that did not work, over all addresses.
pub(crate) const BAD_TOKENS_COUNTERS: usize = 4_096;
/// How long tokens that did not work are counted together, in seconds.
pub(crate) const BAD_TOKENS_WINDOW_S: u32 = 60;
/// How long a one-time link to sign in works.
pub(crate) const SIGN_IN_LINK_LIFE: Duration = Duration::from_secs(10 * 60);
/// Most one-time links to sign in at once; the oldest goes first.
pub(crate) const SIGN_IN_LINKS_MAX: usize = 200;
/// Most of them for one token; the oldest goes first.
pub(crate) const SIGN_IN_LINKS_OF_TOKEN_MAX: usize = 10;
/// How long a ticket for change notices works.
pub(crate) const TICKET_LIFE: Duration = Duration::from_secs(60 * 60);
/// Most tickets for change notices at once.
pub(crate) const TICKETS_MAX: usize = 20_000;
/// How far change notices that are not about a close are spread.
pub(crate) const NOTICE_SPREAD: Duration = Duration::from_millis(1_000);
/// How often a silent notice stream says that it is alive.
pub(crate) const NOTICE_ALIVE_EVERY: Duration = Duration::from_secs(30);
/// Most evaluations one count may claim; a larger claim is taken for this.
pub(crate) const COUNT_MAX: u64 = 1_000_000_000_000;
/// How long a page that could not be delivered is named, in milliseconds.
pub(crate) const PAGES_FAILING_MS_MAX: i64 = 24 * 60 * 60 * 1_000;
/// How long a page may be under way before it is named, in milliseconds.
pub(crate) const PAGE_PENDING_MS_MAX: i64 = 60 * 1_000;
/// Longest window of a probe, in milliseconds.
pub(crate) const PROBE_WINDOW_MS_MAX: i64 = 24 * 60 * 60 * 1_000;
/// Most measurements of one metric that one answer has.
pub(crate) const MEASUREMENTS_MAX: usize = 5_000;
/// Most records that are read for the numbers behind a rollout that is over.
pub(crate) const MOVES_READ_MAX: usize = 10;
/// Most outcomes in one request.
pub(crate) const OUTCOMES_MAX: usize = 1_000;
/// Largest body of a request with outcomes, in bytes.
pub(crate) const OUTCOMES_BYTES_MAX: usize = 512 * 1024;
/// Most outcomes that one client-side token may report in [`OUTCOMES_WINDOW`]; further ones get 429.
pub(crate) const CLIENT_OUTCOMES_MAX: usize = 10_000;
/// How long outcomes of one client-side token are counted together.
pub(crate) const OUTCOMES_WINDOW: Duration = Duration::from_secs(10);
/// Most instances whose last request with outcomes is remembered; the longest silent are forgotten.
pub(crate) const OUTCOME_INSTANCES_MAX: usize = 20_000;
/// Largest body of a page's form, in bytes.
pub(crate) const FORM_BYTES_MAX: usize = 256 * 1024;
/// Longest address to go on to after signing in, in bytes.
pub(crate) const NEXT_BYTES_MAX: usize = 2_000;
/// Most fields of a page's form.
pub(crate) const FORM_FIELDS_MAX: usize = 2_000;
/// How often it is looked whether open pages have something new to show.
pub(crate) const PULSE_EVERY: Duration = Duration::from_millis(100);
/// How often it is looked whether evaluators or rollouts have something new to show, where nothing
/// was changed.
pub(crate) const PULSE_FLEET_EVERY: Duration = Duration::from_millis(400);
/// How often what is seen of a rollout that goes on is shown anew, in milliseconds.
pub(crate) const PULSE_TICK_MS: i64 = 2_000;
/// Most open pages at once that hear what is new; further ones ask. Where fewer seats are left for
/// requests, half of those.
pub(crate) const TABS_MAX: usize = 500;
/// Most of them with one token, in however many browsers.
pub(crate) const TABS_OF_TOKEN_MAX: usize = 50;
/// How often an open page hears that the server is there.
pub(crate) const BEAT_EVERY: Duration = Duration::from_secs(2);
/// How long evaluators have a change to themselves before open pages hear of it.
pub(crate) const CHANGE_HEAD_START: Duration = Duration::from_millis(50);
/// How far the notices of one change are spread over the pages that are open.
pub(crate) const CHANGE_SPREAD: Duration = Duration::from_millis(200);
/// Most levers on the page where they are chosen to be killed.
pub(crate) const KILL_ROWS_MAX: usize = 50;
/// Most of them where some are ticked already, such as those opened lately.
pub(crate) const KILL_TICKS_MAX: usize = 500;
/// How many rollouts that are over, or plans, are on one page of the console.
pub(crate) const ROLLOUTS_SHOWN: usize = 30;
/// Most segments that a lever offers to be opened to; others are named by the API.
pub(crate) const COHORT_CHIPS_MAX: usize = 50;
/// Most levers that are not at rest on the first page.
pub(crate) const NOW_LEVERS_MAX: usize = 25;
/// Most rollouts that run on the first page, and most that were taken back.
pub(crate) const NOW_ROLLOUTS_MAX: usize = 12;
/// Most changes of the last day on the first page.
pub(crate) const NOW_CHANGES_MAX: usize = 300;
/// How long the first page waits for the journal before it goes without.
pub(crate) const JOURNAL_PATIENCE: Duration = Duration::from_millis(500);
/// Most days of an environment that are kept for the first page, each for those who may see the same.
pub(crate) const DAYS_KEPT_MAX: usize = 64;
/// Most pages at once that read the errors beside a lever; further ones go without.
pub(crate) const ERRORS_READS_MAX: usize = 2;
/// How far back the errors beside a lever go, in milliseconds.
pub(crate) const ERRORS_SHOWN_MS: i64 = 30 * 60 * 1_000;
/// How long the page of a lever waits for them.
pub(crate) const ERRORS_WAIT_MAX: Duration = Duration::from_millis(200);
