//! How far the changes of each run of a controller are made: what is brought again is not made again.

use std::collections::{HashMap, HashSet};

use super::changes::Stamped;
use super::columns::json;
use super::store::{Fault, Session, Statement};

/// How far each run's changes were made.
pub(super) struct Marks<'a> {
    cluster: i64,
    controller: &'a str,
    positions: HashMap<String, u64>,
    changed: bool,
}

impl<'a> Marks<'a> {
    pub fn read(
        session: &mut dyn Session,
        cluster: i64,
        controller: &'a str,
        batch: &[Stamped],
    ) -> Result<Self, Fault> {
        let origins: HashSet<&str> = batch.iter().map(|stamped| stamped.origin.as_str()).collect();
        let origins: Vec<&str> = origins.into_iter().collect();
        let sql = format!(
            "SELECT origin, position FROM ha_outbox WHERE cluster_id = ?1 AND controller_id = ?2 AND origin IN {}",
            session.dialect().texts("?3")
        );
        let rows = session.rows(&sql, &[cluster.into(), controller.into(), json(&origins)])?;
        let positions = rows
            .iter()
            .map(|row| (row.text(0).to_owned(), u64::try_from(row.int(1)).unwrap_or_default()))
            .collect();
        Ok(Self { cluster, controller, positions, changed: false })
    }

    pub fn knows(&self, stamped: &Stamped) -> bool {
        self.positions.get(&stamped.origin).is_some_and(|position| *position >= stamped.position)
    }

    pub fn note(&mut self, batch: &[Stamped]) {
        for stamped in batch {
            if !self.knows(stamped) {
                self.positions.insert(stamped.origin.clone(), stamped.position);
                self.changed = true;
            }
        }
    }

    pub fn write(&self, session: &mut dyn Session) -> Result<(), Fault> {
        if !self.changed {
            return Ok(());
        }
        let statements = self.positions.iter().map(|(origin, position)| {
            Statement::new(
                "INSERT INTO ha_outbox (cluster_id, controller_id, origin, position) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (cluster_id, controller_id, origin) DO UPDATE SET position = excluded.position",
                vec![
                    self.cluster.into(),
                    self.controller.into(),
                    origin.into(),
                    i64::try_from(*position).unwrap_or(i64::MAX).into(),
                ],
            )
        });
        session.run(statements.collect())
    }
}

/// Earlier runs of this controller have nothing left to be made.
pub(super) fn forget_origins(
    session: &mut dyn Session,
    cluster: i64,
    controller: &str,
    origin: &str,
) -> Result<(), Fault> {
    session.run(vec![Statement::new(
        "DELETE FROM ha_outbox WHERE cluster_id = ?1 AND controller_id = ?2 AND origin <> ?3",
        vec![cluster.into(), controller.into(), origin.into()],
    )])
}
