-- Question: who is behind each session of a role, user or outside account, by which channel, and how certainly?
-- Meaning:  one row a session; session: a name for it within this answer; outsiders_role: whether an outside party can assume
--           its role, or did; opened_at, first_call, last_call: UTC, to the second; actors: their rows in the evidence.
-- Takes:    of the evidence: handoffs, actors, sightings, calls, places; given: window, own, directory, users, roles, trust.
WITH RECURSIVE
-- S17: ours are the accounts that were given and those whose trails were read.
ours AS (
    SELECT account FROM ${database}.given_own
    UNION
    SELECT account FROM ${database}.places
),
-- S4: the records that both sides hold of one hand-off share an id, and its session has one key.
allowed AS (
    SELECT h.*, substr(h.time, 1, 19) AS at_second
    FROM ${database}.handoffs AS h
    WHERE h.outcome <> 'denied' AND (h.outcome = 'allowed' OR h.access_key <> '')
),
keys_of_pairs AS (
    SELECT shared_event_id, max(access_key) AS access_key
    FROM allowed
    WHERE shared_event_id <> ''
    GROUP BY shared_event_id
),
named AS (
    SELECT
        a.*,
        CASE
            WHEN a.access_key <> '' THEN concat('key ', a.access_key)
            WHEN coalesce(p.access_key, '') <> '' THEN concat('key ', p.access_key)
            WHEN a.shared_event_id <> '' THEN concat('pair ', a.shared_event_id)
            ELSE concat('event ', a.event_id)
        END AS session,
        -- The record that tells most of the caller: our side of another account's call names the account alone (S9).
        CASE
            WHEN a.caller_delegate IS NOT NULL THEN 0
            WHEN a.caller_role_account IS NOT NULL THEN 1
            WHEN a.caller_kind <> 'aws_account' THEN 2
            ELSE 3
        END AS vagueness
    FROM allowed AS a
    LEFT JOIN keys_of_pairs AS p ON p.shared_event_id = a.shared_event_id
),
ranked AS (
    SELECT n.*, row_number() OVER (PARTITION BY n.session ORDER BY n.vagueness, n.time, n.event_id) AS rank
    FROM named AS n
),
opened AS (
    SELECT
        r.*,
        concat(
            r.caller_kind, ' ', coalesce(r.caller_account, ''), ' ', coalesce(r.caller_delegate, ''), ' ',
            coalesce(r.caller_role_id, ''), ' ', coalesce(r.caller_session_name, ''), ' ', r.caller_arn, ' ',
            r.caller_invoked_by, ' ', r.provider, ' ', r.subject
        ) AS asker
    FROM ranked AS r
    WHERE r.rank = 1
),
-- S10: calls belong to the hand-off that gave out their key. Where one of the two tells no key: role, name and time, unless
-- different callers opened sessions of that name in that second.
acted AS (
    SELECT
        a.number,
        a.account,
        a.role_name,
        a.role_id,
        a.access_key,
        a.session_name,
        a.delegate,
        substr(a.created, 1, 19) AS created
    FROM ${database}.actors AS a
    WHERE a.session
),
by_key AS (
    SELECT DISTINCT a.number, o.session
    FROM acted AS a
    INNER JOIN opened AS o ON o.session = concat('key ', a.access_key)
    WHERE a.access_key <> ''
),
by_name AS (
    SELECT a.number, min(o.session) AS session
    FROM acted AS a
    INNER JOIN opened AS o
        ON o.role_id = a.role_id
        AND o.session_name = a.session_name
        AND o.at_second = a.created
        AND (a.access_key = '' OR o.access_key = '')
    WHERE a.number NOT IN (SELECT number FROM by_key) AND a.role_id <> ''
    GROUP BY a.number
    HAVING count(DISTINCT o.asker) = 1
),
linked AS (
    SELECT
        a.*,
        coalesce(k.session, n.session) AS opening,
        k.session IS NOT NULL AS is_exact,
        coalesce(
            k.session,
            n.session,
            CASE
                WHEN a.access_key <> '' THEN concat('key ', a.access_key)
                ELSE concat('name ', a.account, ' ', a.role_name, ' ', a.role_id, ' ', a.session_name, ' ', coalesce(a.created, ''))
            END
        ) AS session
    FROM acted AS a
    LEFT JOIN by_key AS k ON k.number = a.number
    LEFT JOIN by_name AS n ON n.number = a.number
),
-- The sessions that hand-offs, calls and callers of hand-offs tell of.
callers_by_name AS (
    SELECT o.session, min(n.session) AS caller
    FROM opened AS o
    INNER JOIN opened AS n
        ON n.role_id = o.caller_role_id
        AND n.session_name = o.caller_session_name
        AND n.at_second = substr(o.caller_created, 1, 19)
        AND (n.access_key = '' OR o.caller_access_key = '')
    GROUP BY o.session
    HAVING count(DISTINCT n.asker) = 1
),
callers AS (
    SELECT
        o.session,
        o.caller_role_account,
        o.caller_role_name,
        o.caller_role_id,
        coalesce(
            k.session,
            n.caller,
            concat('key ', nullif(o.caller_access_key, '')),
            concat(
                'name ', o.caller_role_account, ' ', o.caller_role_name, ' ', o.caller_role_id, ' ',
                o.caller_session_name, ' ', coalesce(substr(o.caller_created, 1, 19), '')
            )
        ) AS caller,
        CASE WHEN k.session IS NULL AND n.caller IS NOT NULL THEN 'inferred' ELSE 'exact' END AS attribution
    FROM opened AS o
    LEFT JOIN opened AS k ON k.session = concat('key ', o.caller_access_key)
    LEFT JOIN callers_by_name AS n ON n.session = o.session
    WHERE o.caller_role_account IS NOT NULL AND o.caller_delegate IS NULL
),
all_sessions AS (
    SELECT session, role_account AS account, role_name, role_id FROM opened
    UNION ALL
    SELECT session, account, role_name, role_id FROM linked WHERE opening IS NULL
    UNION ALL
    SELECT c.caller, c.caller_role_account, c.caller_role_name, c.caller_role_id
    FROM callers AS c
    WHERE c.caller NOT IN (SELECT session FROM opened)
),
sessions AS (
    SELECT session, max(account) AS account, max(role_name) AS role_name, max(role_id) AS role_id
    FROM all_sessions
    GROUP BY session
),
-- Whom today's trust policies let in; a role is matched by account, name and id (S18, S19).
admitted AS (
    SELECT
        t.account,
        t.role_name,
        t.role_id,
        t.kind,
        t.principal,
        CASE
            WHEN t.kind = 'federated' THEN NOT starts_with(t.principal, 'AWSSSO_')
            WHEN t.kind = 'anyone' THEN true
            WHEN t.kind = 'account' THEN o.account IS NULL AND NOT coalesce(d.aws, false)
            ELSE false
        END AS is_outside
    FROM ${database}.given_trust AS t
    LEFT JOIN ours AS o ON o.account = t.principal
    LEFT JOIN ${database}.given_directory AS d ON d.account = t.principal
),
trusting AS (
    SELECT
        account,
        role_name,
        role_id,
        bool_or(is_outside) AS lets_in,
        -- S10, last resort: exactly one outside party and no one else.
        CASE
            WHEN count(DISTINCT concat(kind, ' ', principal)) = 1 AND bool_and(is_outside AND kind = 'account') THEN max(principal)
        END AS only_account
    FROM admitted
    GROUP BY account, role_name, role_id
),
-- Who asked, where the hand-off itself tells.
asked AS (
    SELECT
        o.session,
        CASE
            WHEN o.caller_delegate IS NOT NULL THEN 'account'
            WHEN o.kind <> 'assume_role' THEN 'provider'
            WHEN o.caller_kind = 'aws_service' AND o.caller_invoked_by = 'rolesanywhere.amazonaws.com' THEN 'certificate'
            WHEN o.caller_kind = 'aws_service' THEN 'service'
            WHEN o.caller_role_account IS NOT NULL AND w.account IS NOT NULL THEN 'session'
            WHEN u.arn IS NOT NULL THEN 'user'
            WHEN o.caller_account IS NOT NULL THEN 'account'
            ELSE 'nobody'
        END AS by_whom,
        CASE
            WHEN o.caller_delegate IS NOT NULL THEN o.caller_delegate
            WHEN o.kind <> 'assume_role' THEN
                concat(
                    regexp_replace(o.provider, '^arn:[^/]*:(oidc|saml)-provider/', ''),
                    CASE WHEN o.subject = '' THEN '' ELSE concat('/', o.subject) END
                )
            WHEN o.caller_kind = 'aws_service' AND o.caller_invoked_by = 'rolesanywhere.amazonaws.com' THEN
                concat('rolesanywhere', CASE WHEN o.source_identity = '' THEN '' ELSE concat('/', o.source_identity) END)
            WHEN o.caller_kind = 'aws_service' THEN o.caller_invoked_by
            WHEN u.arn IS NOT NULL THEN u.arn
            ELSE coalesce(o.caller_role_account, o.caller_account)
        END AS whom,
        CASE
            -- Whoever came in as a delegate or with a user's key goes on from there.
            WHEN o.caller_delegate IS NOT NULL THEN 'role_chain'
            WHEN o.kind <> 'assume_role' THEN o.kind
            WHEN o.caller_kind = 'aws_service' AND o.caller_invoked_by = 'rolesanywhere.amazonaws.com' THEN 'roles_anywhere'
            WHEN u.arn IS NOT NULL AND o.caller_role_account IS NULL THEN 'role_chain'
            ELSE 'assume_role'
        END AS channel,
        o.role_account
    FROM opened AS o
    LEFT JOIN ${database}.given_users AS u ON u.arn = o.caller_arn
    LEFT JOIN ours AS w ON w.account = o.caller_role_account
),
-- The beginnings of chains: hand-offs that name their party, and roles that only one outside party can assume.
beginnings AS (
    SELECT session, by_whom, whom, channel, 'exact' AS attribution
    FROM asked
    WHERE by_whom NOT IN ('session', 'nobody')
    UNION ALL
    SELECT s.session, 'account', t.only_account, 'assume_role', 'inferred'
    FROM sessions AS s
    INNER JOIN trusting AS t ON t.account = s.account AND t.role_name = s.role_name AND (t.role_id = s.role_id OR s.role_id = '')
    WHERE t.only_account IS NOT NULL
        AND s.session NOT IN (SELECT session FROM opened)
),
parties AS (
    SELECT
        b.session,
        CASE WHEN b.by_whom = 'provider' AND starts_with(b.whom, 'AWSSSO_') THEN s.account ELSE b.whom END AS party_id,
        CASE
            WHEN b.by_whom = 'provider' AND starts_with(b.whom, 'AWSSSO_') THEN 'own_organization'
            WHEN b.by_whom IN ('provider', 'certificate') THEN 'identity_provider'
            WHEN b.by_whom = 'service' THEN 'aws_service'
            WHEN b.by_whom = 'user' THEN 'iam_user'
            WHEN o.account IS NOT NULL THEN 'own_organization'
            WHEN d.aws THEN 'aws_service'
            WHEN d.account IS NOT NULL THEN 'vendor'
            ELSE 'unknown_account'
        END AS party_kind,
        b.channel,
        b.attribution
    FROM beginnings AS b
    INNER JOIN sessions AS s ON s.session = b.session
    LEFT JOIN ours AS o ON o.account = b.whom
    LEFT JOIN ${database}.given_directory AS d ON d.account = b.whom
),
-- S11: the session that an outsider's session opened is the outsider's too. A circle of roles has no beginning, so it is
-- never entered.
chained (session, party_id, party_kind, channel, attribution) AS (
    SELECT session, party_id, party_kind, channel, attribution
    FROM parties
    WHERE party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
    UNION ALL
    SELECT
        a.session,
        c.party_id,
        c.party_kind,
        'role_chain',
        CASE WHEN l.attribution = 'inferred' THEN 'inferred' ELSE c.attribution END
    FROM chained AS c
    INNER JOIN callers AS l ON l.caller = c.session
    INNER JOIN asked AS a ON a.session = l.session
    WHERE a.by_whom = 'session'
),
-- A caller of ours that is no outsider's session is ours, unless an outsider can be behind it.
inside AS (
    SELECT session, party_id, party_kind, channel, attribution
    FROM parties
    WHERE party_kind NOT IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
    UNION ALL
    SELECT a.session, a.whom, 'own_organization', 'assume_role', 'exact'
    FROM asked AS a
    INNER JOIN callers AS l ON l.session = a.session
    LEFT JOIN trusting AS t
        ON t.account = l.caller_role_account AND t.role_name = l.caller_role_name AND t.role_id = l.caller_role_id
    WHERE a.by_whom = 'session'
        AND a.session NOT IN (SELECT session FROM chained)
        AND (l.caller IN (SELECT session FROM parties) OR NOT coalesce(t.lets_in, false))
),
resolved AS (
    SELECT * FROM chained
    UNION ALL
    SELECT * FROM inside
),
-- The calls of each session: an event counts once (S4), a refused call is no failed one (S21).
done AS (
    SELECT DISTINCT
        l.session,
        l.delegate,
        c.event,
        substr(c.time, 1, 19) AS at_second,
        CASE
            WHEN c.error = '' THEN 'allowed'
            WHEN regexp_like(c.error, '(^|[.#])(Client\.)?(AccessDenied|UnauthorizedOperation|UnauthorizedAccess|NotAuthorized|AuthorizationError)(Exception)?$')
                THEN 'denied'
            WHEN regexp_like(c.error, 'DryRunOperation$') THEN 'allowed'
            ELSE 'failed'
        END AS outcome
    FROM ${database}.calls AS c
    INNER JOIN ${database}.sightings AS s ON s.number = c.sighting
    INNER JOIN linked AS l ON l.number = s.actor
),
acting AS (
    SELECT session, delegate, array_agg(number) AS actors
    FROM linked
    GROUP BY session, delegate
),
counted AS (
    SELECT
        session,
        delegate,
        min(at_second) AS first_call,
        max(at_second) AS last_call,
        count(DISTINCT event) AS calls,
        count(DISTINCT CASE WHEN outcome = 'denied' THEN event END) AS denied,
        count(DISTINCT CASE WHEN outcome = 'failed' THEN event END) AS failed
    FROM done
    GROUP BY session, delegate
),
told AS (
    -- Where some calls of a session tell its key, it is known by that.
    SELECT session, max(session_name) AS session_name, bool_or(is_exact) AS is_exact
    FROM (
        SELECT session, session_name, is_exact FROM linked
        UNION ALL
        -- A hand-off without calls is its own witness.
        SELECT session, session_name, session NOT IN (SELECT session FROM linked) FROM opened
    ) AS both
    GROUP BY session
),
times AS (
    -- Every call of a session tells when it was opened, also where the hand-off was not seen.
    SELECT session, min(created) AS created
    FROM linked
    GROUP BY session
),
-- S14: calls in the name of one of our identities, by an account that somebody let act so, are that account's.
of_roles AS (
    SELECT
        s.session,
        s.account AS account_id,
        s.role_name,
        s.role_id,
        t.session_name,
        CASE WHEN c.delegate IS NOT NULL THEN c.delegate ELSE coalesce(r.party_id, 'unresolved') END AS party_id,
        CASE
            WHEN c.delegate IS NULL THEN coalesce(r.party_kind, 'unresolved')
            WHEN w.account IS NOT NULL THEN 'own_organization'
            WHEN d.aws THEN 'aws_service'
            WHEN d.account IS NOT NULL THEN 'vendor'
            ELSE 'unknown_account'
        END AS party_kind,
        CASE WHEN c.delegate IS NOT NULL THEN 'temporary_delegation' ELSE coalesce(r.channel, 'unknown') END AS channel,
        CASE
            WHEN c.delegate IS NOT NULL THEN 'exact'
            WHEN r.session IS NULL THEN 'unresolved'
            WHEN t.is_exact THEN r.attribution
            ELSE 'inferred'
        END AS attribution,
        coalesce(substr(o.time, 1, 19), m.created) AS opened_at,
        c.first_call,
        c.last_call,
        coalesce(c.calls, 0) AS calls,
        coalesce(c.denied, 0) AS denied,
        coalesce(c.failed, 0) AS failed,
        n.actors,
        o.session IS NOT NULL AS is_seen,
        coalesce(g.lets_in, false) AS lets_in
    FROM sessions AS s
    INNER JOIN told AS t ON t.session = s.session
    LEFT JOIN opened AS o ON o.session = s.session
    LEFT JOIN times AS m ON m.session = s.session
    LEFT JOIN resolved AS r ON r.session = s.session
    LEFT JOIN counted AS c ON c.session = s.session
    LEFT JOIN acting AS n ON n.session = s.session AND (n.delegate = c.delegate OR (n.delegate IS NULL AND c.delegate IS NULL))
    LEFT JOIN ours AS w ON w.account = c.delegate
    LEFT JOIN ${database}.given_directory AS d ON d.account = c.delegate
    LEFT JOIN trusting AS g ON g.account = s.account AND g.role_name = s.role_name AND g.role_id = s.role_id
),
-- A role is an outsider's when its trust lets one in, or one came in; of one that the inventory does not hold, nobody knows
-- whom it let in.
outsiders AS (
    SELECT
        r.account_id,
        r.role_name,
        r.role_id,
        bool_or(
            r.lets_in OR r.party_kind IN ('vendor', 'unknown_account', 'identity_provider', 'iam_user')
        ) AS outsiders_role,
        bool_or(g.account IS NULL) AS is_unknown
    FROM of_roles AS r
    INNER JOIN ours AS w ON w.account = r.account_id
    LEFT JOIN ${database}.given_roles AS g
        ON g.account = r.account_id AND g.role_name = r.role_name AND g.role_id = r.role_id
    GROUP BY r.account_id, r.role_name, r.role_id
),
-- S15, S16: those who came without a role, by a resource policy or with a user's key.
without_role AS (
    SELECT
        concat('actor ', CAST(a.number AS varchar), ' ', s.account) AS session,
        array_agg(DISTINCT a.number) AS actors,
        s.account AS account_id,
        CASE WHEN a.user THEN regexp_replace(a.principal, '^.*/', '') ELSE a.principal END AS session_name,
        CASE WHEN a.user THEN a.principal ELSE a.account END AS party_id,
        CASE
            WHEN a.user THEN 'iam_user'
            WHEN o.account IS NOT NULL THEN 'own_organization'
            WHEN d.aws THEN 'aws_service'
            WHEN d.account IS NOT NULL THEN 'vendor'
            ELSE 'unknown_account'
        END AS party_kind,
        CASE WHEN a.user THEN 'access_key' ELSE 'resource_policy' END AS channel,
        min(substr(c.time, 1, 19)) AS first_call,
        max(substr(c.time, 1, 19)) AS last_call,
        count(DISTINCT c.event) AS calls,
        count(DISTINCT CASE WHEN c.outcome = 'denied' THEN c.event END) AS denied,
        count(DISTINCT CASE WHEN c.outcome = 'failed' THEN c.event END) AS failed
    FROM ${database}.actors AS a
    INNER JOIN ${database}.sightings AS s ON s.actor = a.number
    INNER JOIN ${database}.calls AS c ON c.sighting = s.number
    LEFT JOIN ours AS o ON o.account = a.account
    LEFT JOIN ${database}.given_directory AS d ON d.account = a.account
    LEFT JOIN ${database}.given_users AS u ON u.arn = a.principal
    WHERE NOT a.session AND (u.arn IS NOT NULL OR NOT a.user)
    GROUP BY a.number, s.account, a.user, a.principal, a.account, o.account, d.aws, d.account
)
SELECT
    r.session, r.account_id, r.role_name, r.role_id, r.session_name, r.party_id, r.party_kind, r.channel, r.attribution,
    r.opened_at, r.first_call, r.last_call, r.calls, r.denied, r.failed, o.outsiders_role, r.actors
FROM of_roles AS r
INNER JOIN outsiders AS o ON o.account_id = r.account_id AND o.role_name = r.role_name AND o.role_id = r.role_id
CROSS JOIN ${database}.given_window AS w
-- S3: hand-offs from before the window count where the session is used in it.
WHERE (o.outsiders_role OR o.is_unknown)
    AND (r.calls > 0 OR (r.is_seen AND r.opened_at >= w.since AND r.opened_at < w.until))
UNION ALL
SELECT
    session, account_id, '', '', session_name, party_id, party_kind, channel, 'exact',
    CAST(NULL AS varchar), first_call, last_call, calls, denied, failed, false, actors
FROM without_role
