//! What `shelflife::s3` relies on in a store: the same tests on the embedded sandbox and on LocalStack.
//!
//! Where LocalStack is known to do otherwise the test names the [`subject::Difference`] and asserts it, so
//! that an update which changes it is noticed.
#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

/// Makes of each function two tests, `on_sandbox::…` and `on_localstack::…`.
macro_rules! on_every_store {
    ($($test:ident),+ $(,)?) => {
        mod on_sandbox {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(&crate::subject::Subject::sandbox().await).await;
                }
            )+
        }

        mod on_localstack {
            $(
                #[tokio::test]
                async fn $test() {
                    let Some(subject) = crate::subject::Subject::localstack().await else { return };
                    super::$test(&subject).await;
                }
            )+
        }
    };
}

mod configuring;
mod deleting;
mod foretelling;
mod listing;
mod opening;
mod reading;
mod subject;
