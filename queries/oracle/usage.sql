-- Question: which party called which API through which role in which Region, how often, and with which IAM actions?
-- Meaning:  calls counts refused and failed ones, too; sessions: those of roles that made such calls.
-- Takes:    of the evidence: sightings, calls; given: actions; and the answer of sessions.sql as attributed.
WITH
-- S20: what is needed surely, also or perhaps is all used.
mapped AS (
    SELECT source, name, hints, array_agg(DISTINCT action ORDER BY action) AS actions
    FROM ${database}.given_actions
    GROUP BY source, name, hints
),
acting AS (
    SELECT t.session, t.role_name, t.party_id, t.channel, a.number
    FROM ${database}.attributed AS t
    CROSS JOIN UNNEST(t.actors) AS a (number)
),
-- S4: an event counts once.
done AS (
    SELECT DISTINCT
        t.session,
        t.role_name,
        t.party_id,
        t.channel,
        s.account AS account_id,
        s.region,
        CASE WHEN strpos(s.source, '.') > 0 THEN s.source ELSE concat(s.source, '.amazonaws.com') END AS event_source,
        s.name AS event_name,
        coalesce(m.actions, ARRAY[]) AS actions,
        c.event,
        substr(c.time, 1, 19) AS at_second,
        c.outcome
    FROM acting AS t
    INNER JOIN ${database}.sightings AS s ON s.actor = t.number
    INNER JOIN ${database}.calls AS c ON c.sighting = s.number
    LEFT JOIN mapped AS m ON m.source = s.source AND m.name = s.name AND m.hints = s.hints
    -- What came without a role is a row for each account that was called.
    WHERE t.role_name <> '' OR t.session = concat('actor ', CAST(t.number AS varchar), ' ', s.account)
)
SELECT
    account_id,
    role_name,
    party_id,
    channel,
    region,
    event_source,
    event_name,
    actions,
    count(DISTINCT CASE WHEN role_name <> '' THEN session END) AS sessions,
    count(DISTINCT event) AS calls,
    count(DISTINCT CASE WHEN outcome = 'denied' THEN event END) AS denied,
    count(DISTINCT CASE WHEN outcome = 'failed' THEN event END) AS failed,
    min(at_second) AS first_seen,
    max(at_second) AS last_seen
FROM done
GROUP BY account_id, role_name, party_id, channel, region, event_source, event_name, actions
