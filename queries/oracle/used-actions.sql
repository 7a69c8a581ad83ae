-- Question: which IAM actions did the sessions of each outsiders' role use, or were refused?
-- Meaning:  calls: those that needed the action, refused and failed ones among them; first_seen, last_seen: of those that used
--           it. One row a role and action; a role of another id is another role, whatever its name.
-- Takes:    of the evidence: sightings, calls; given: actions; and the answer of sessions.sql as attributed.
WITH
acting AS (
    SELECT t.account_id, t.role_name, t.role_id, a.number
    FROM ${database}.attributed AS t
    CROSS JOIN UNNEST(t.actors) AS a (number)
    WHERE t.outsiders_role
),
done AS (
    SELECT DISTINCT
        t.account_id,
        t.role_name,
        t.role_id,
        m.action,
        c.event,
        c.outcome,
        substr(c.time, 1, 19) AS at_second
    FROM acting AS t
    INNER JOIN ${database}.sightings AS s ON s.actor = t.number
    INNER JOIN ${database}.calls AS c ON c.sighting = s.number
    -- S20: what is needed perhaps counts as used, too.
    INNER JOIN ${database}.given_actions AS m ON m.source = s.source AND m.name = s.name AND m.hints = s.hints
)
SELECT
    account_id,
    role_name,
    -- S18: what a role did before it was made again is not the new one's use.
    role_id,
    action,
    count(DISTINCT event) AS calls,
    count(DISTINCT CASE WHEN outcome = 'denied' THEN event END) AS denied,
    count(DISTINCT CASE WHEN outcome = 'failed' THEN event END) AS failed,
    -- S21: a refused call is no use; any other error came after the permission was checked.
    min(CASE WHEN outcome <> 'denied' THEN at_second END) AS first_seen,
    max(CASE WHEN outcome <> 'denied' THEN at_second END) AS last_seen
FROM done
GROUP BY account_id, role_name, role_id, action
