-- The caseload check without Polku: the 69 rules of the Päijät-Häme pack written by hand in DuckDB SQL, as an engineer
-- who had the tables of facts and the list of rules would write them. The columnar engine's speed is measured against
-- this. Nothing here is generated and Polku never runs it; a test holds it equal to Polku, row by row.
--
-- Given: the views cases, activities, pauses, referrals, plans, coachings, trials, jobs, stops and set_asides over the
-- Parquet files of facts, the table workdays (day, third_after), and the variables as_of, pack and pack_version. NULL
-- is an unknown fact, 9999-12-31 a date known to be absent. Made: the table outcome_counts and the view findings.

CREATE OR REPLACE MACRO as_of() AS getvariable('as_of')::DATE;
CREATE OR REPLACE MACRO given(day) AS day <> DATE '9999-12-31';
CREATE OR REPLACE MACRO passed(day) AS day < as_of();
CREATE OR REPLACE MACRO shown(day) AS CASE WHEN day < DATE '9999-12-31' THEN day END;
CREATE OR REPLACE MACRO plus_days(day, n) AS CASE WHEN given(day) THEN day + n ELSE day END;
CREATE OR REPLACE MACRO plus_months(day, n) AS CASE WHEN given(day) THEN (day + to_months(n))::DATE ELSE day END;
CREATE TYPE outcome AS ENUM ('satisfied', 'remedied', 'violated', 'advised', 'unknown');
-- Nothing where a rule does not apply, unknown where that is unknown.
CREATE OR REPLACE MACRO verdict(applies, then_comes_to) AS
    CASE WHEN applies THEN then_comes_to::outcome WHEN applies IS NULL THEN 'unknown'::outcome END;
CREATE OR REPLACE MACRO met(holds) AS
    CASE WHEN holds THEN 'satisfied'::outcome WHEN holds IS NULL THEN 'unknown'::outcome ELSE 'violated'::outcome END;
-- Met, or else made good later.
CREATE OR REPLACE MACRO met_or_late(holds, late) AS CASE
    WHEN holds THEN 'satisfied'::outcome
    WHEN holds IS NULL THEN 'unknown'::outcome
    WHEN late THEN 'remedied'::outcome
    WHEN late IS NULL THEN 'unknown'::outcome
    ELSE 'violated'::outcome END;
-- To be done by a limit; `maybe` is when it was perhaps done.
CREATE OR REPLACE MACRO done_by(lim, done, maybe) AS CASE
    WHEN done IS NULL THEN 'unknown'::outcome
    WHEN given(done) AND done <= lim THEN 'satisfied'::outcome
    WHEN given(maybe) AND maybe <= lim THEN 'unknown'::outcome
    WHEN given(done) THEN 'remedied'::outcome
    WHEN given(maybe) THEN 'unknown'::outcome
    WHEN passed(lim) THEN 'violated'::outcome
    ELSE 'advised'::outcome END;
-- Broken, or soon to be.
CREATE OR REPLACE MACRO broken_or_soon(broken, soon) AS CASE
    WHEN broken THEN 'violated'::outcome
    WHEN broken IS NULL THEN 'unknown'::outcome
    WHEN soon THEN 'advised'::outcome
    WHEN soon IS NULL THEN 'unknown'::outcome
    ELSE 'satisfied'::outcome END;
CREATE OR REPLACE MACRO in_force(day) AS day >= DATE '2020-01-01';
CREATE OR REPLACE MACRO is_open(outcome) AS outcome IN ('violated', 'advised', 'unknown');
CREATE OR REPLACE MACRO gap(fact, name) AS CASE WHEN fact IS NULL THEN name END;

-- ==== 1. What is known of each rule ==================================================================================

CREATE TEMP TABLE told AS
SELECT * FROM (VALUES
    ('open-access-no-screening', 'obligation', 'open_the_way_to_coaching', 'social_worker', true),
    ('no-time-limit-or-no-show-end', 'quality', 'open_the_way_to_coaching', 'job_coach', true),
    ('queue-has-review-date', 'quality', 'review_queue', 'job_coach', false),
    ('wish-to-work-answered', 'quality', 'open_the_way_to_coaching', 'social_worker', false),
    ('offer-coaching-when-client-wants-work', 'recommendation', 'open_the_way_to_coaching', 'social_worker', false),
    ('ask-interest-in-work', 'quality', 'ask_interest', 'activity_instructor', false),
    ('tell-all-ktt-clients', 'recommendation', 'tell_about_coaching', 'activity_instructor', false),
    ('selection-together', 'recommendation', 'agree_selection', 'social_worker', false),
    ('joint-meeting-at-planning', 'recommendation', 'hold_joint_meeting', 'social_worker', false),
    ('extra-consent-for-provider', 'obligation', 'obtain_consent', 'job_coach', false),
    ('basic-consent-before-ktt', 'recommendation', 'obtain_consent', 'social_worker', false),
    ('as-update-before-coaching', 'obligation', 'update_plan', 'employment_coach', false),
    ('as-records-coaching-period', 'obligation', 'update_plan', 'employment_coach', false),
    ('as-records-coaching-during-ktt', 'obligation', 'update_plan', 'employment_coach', false),
    ('as-preauthorises-trial', 'recommendation', 'update_plan', 'employment_coach', false),
    ('as-preauthorises-other-te', 'recommendation', 'update_plan', 'employment_coach', false),
    ('as-clarifies-wage-subsidy', 'recommendation', 'update_plan', 'employment_coach', false),
    ('omatyontekija-always-in-plan-meeting', 'obligation', 'update_plan', 'employment_coach', false),
    ('ktt-rests-on-activation-plan', 'obligation', 'update_plan', 'employment_coach', false),
    ('plan-review-every-3-months', 'obligation', 'review_plan', 'employment_coach', false),
    ('service-decision-current', 'obligation', 'renew_service_decision', 'social_worker', false),
    ('social-worker-assigned', 'obligation', 'assign_social_worker', 'social_worker', false),
    ('ts-drawn-with-social-instructor', 'obligation', 'update_implementation_plan', 'activity_instructor', false),
    ('ktt-and-ot-not-ended-by-coaching', 'obligation', 'assess_needs', 'social_worker', true),
    ('critical-point-ktt-end', 'recommendation', 'open_the_way_to_coaching', 'social_worker', false),
    ('days-per-week-1-4', 'obligation', 'adjust_weekly_days', 'activity_instructor', false),
    ('activity-period-3-24-months', 'obligation', 'renew_service_decision', 'social_worker', false),
    ('ktt-pause-max-one-month', 'obligation', 'resume_or_end_activity', 'social_worker', false),
    ('ktt-ends-if-trial-continues', 'obligation', 'end_activity', 'social_worker', false),
    ('ot-may-stay-after-ktt', 'obligation', 'decide_retention', 'social_worker', true),
    ('ts-records-coaching', 'obligation', 'update_implementation_plan', 'activity_instructor', false),
    ('coaching-renewal-individual', 'recommendation', 'review_coaching_period', 'job_coach', false),
    ('first-employer-meeting-30d', 'quality', 'meet_employer', 'job_coach', false),
    ('redirect-work-ability-support', 'quality', 'review_interruption', 'job_coach', false),
    ('as-update-on-trial', 'obligation', 'update_plan', 'employment_coach', false),
    ('ov-checks-endorsements-at-trial', 'obligation', 'check_endorsements', 'employment_coach', false),
    ('trial-parallel-two-statements', 'obligation', 'obtain_statements', 'employment_coach', false),
    ('statement-lapses-before-overlap-ends', 'recommendation', 'obtain_statements', 'employment_coach', false),
    ('trial-parallel-capacity', 'recommendation', 'consider_capacity', 'employment_coach', false),
    ('trial-parallel-days', 'recommendation', 'adjust_weekly_days', 'activity_instructor', false),
    ('transition-support-retained', 'recommendation', 'keep_coach_support', 'job_coach', false),
    ('trial-failure-keeps-support', 'obligation', 'contact_client', 'social_worker', true),
    ('criminal-record-cost', 'recommendation', 'advise_economic_support', 'social_worker', false),
    ('trial-first-month-travel', 'recommendation', 'advise_economic_support', 'social_worker', false),
    ('trial-max-six-months', 'obligation', 'plan_after_trial', 'employment_coach', false),
    ('support-does-not-end-at-hire', 'quality', 'keep_coach_support', 'job_coach', true),
    ('after-job-start-contacts', 'quality', 'support_at_work', 'job_coach', false),
    ('job-loss-contact-3-workdays', 'quality', 'contact_client', 'job_coach', true),
    ('new-job-after-loss', 'quality', 'resume_job_search', 'job_coach', false),
    ('benefit-counselling-part', 'quality', 'give_benefit_counselling', 'job_coach', false),
    ('nobody-left-between-services', 'obligation', 'assign_social_worker', 'social_worker', false),
    ('follow-up-contact-1-3-months', 'recommendation', 'follow_up', 'social_worker', true),
    ('follow-up-reconnect', 'recommendation', 'assess_needs', 'social_worker', false),
    ('path-inconsistent', 'obligation', 'correct_record', 'social_worker', false),
    ('next-agree-selection', 'information', 'agree_selection', 'social_worker', false),
    ('next-update-plan', 'information', 'update_plan', 'employment_coach', false),
    ('next-obtain-consent', 'information', 'obtain_consent', 'job_coach', false),
    ('next-update-implementation-plan', 'information', 'update_implementation_plan', 'activity_instructor', false),
    ('next-start-coaching', 'information', 'start_coaching', 'job_coach', false),
    ('next-make-profile', 'information', 'make_profile', 'job_coach', false),
    ('next-search-open-market', 'information', 'search_jobs', 'job_coach', false),
    ('next-agree-job', 'information', 'agree_job', 'job_coach', false),
    ('next-agree-work-trial', 'information', 'agree_work_trial', 'job_coach', false),
    ('next-plan-after-trial', 'information', 'plan_after_trial', 'employment_coach', false),
    ('next-choose-after-trial', 'information', 'plan_after_trial', 'social_worker', true),
    ('next-support-at-work', 'information', 'support_at_work', 'job_coach', false),
    ('next-assess-needs', 'information', 'assess_needs', 'social_worker', false),
    ('next-review-interruption', 'information', 'review_interruption', 'job_coach', false),
    ('next-keep-contact', 'information', 'keep_contact', 'social_worker', false)
) AS told (rule, severity, action, role, about_ending);

-- Words by number: quicker to carry and to write.
CREATE TYPE kind AS ENUM ('case', 'activity', 'pause', 'referral', 'plan', 'coaching', 'trial', 'job', 'stop');
CREATE TYPE severity AS ENUM ('obligation', 'quality', 'recommendation', 'information');
CREATE TYPE rule_id AS ENUM (SELECT rule FROM told);
CREATE TYPE role AS ENUM (SELECT DISTINCT role FROM told ORDER BY role);
CREATE TYPE action AS ENUM (SELECT action FROM told UNION SELECT 'stop_sharing' ORDER BY action);
CREATE TEMP TABLE rules AS
SELECT rule, rule::rule_id AS rule_id, severity::severity AS severity, action::action AS action, role::role AS role,
    about_ending
FROM told;

-- ==== 2. What each rule comes to: a column for each ==================================================================

CREATE TEMP TABLE judged_cases AS
WITH seen AS (
    SELECT *,
        case_in_view = 'yes' AND in_force(as_of()) AS in_view,
        case_stage <> 'closed' AND in_force(as_of()) AS not_closed,
        CASE WHEN given(case_wish_on) AND given(case_last_service_ended_on)
                 THEN greatest(case_wish_on, case_last_service_ended_on) + 30
             ELSE plus_days(least(case_wish_on, case_last_service_ended_on), 30) END AS answer_wish_by
    FROM cases
), applied AS (
    SELECT *,
        in_view AND case_interest = 'yes' AND case_coaching_running = 'no' AND case_trial_running = 'no'
            AND case_employed = 'no' AND case_referral IN ('none', 'done') AND case_waits_in_queue = 'no' AS wish_waits,
        verdict(in_view AND case_referral IN ('agreed', 'planned') AND case_provider_consent = 'no', 'advised')
            AS obtain_consent
    FROM seen
)
SELECT case_no, not_closed, answer_wish_by, case_queue_review_on, case_review_interruption_on, case_decline_reason,
    case_coaching_running, case_employed, case_trial_running,
    CASE WHEN wish_waits IS NULL THEN [gap(case_coaching_running, 'case.coaching_running'),
        gap(case_employed, 'case.employed'), gap(case_interest, 'case.interest'),
        gap(case_trial_running, 'case.trial_running')] END AS wish_gaps,
    case_social_worker_assigned, case_nothing_runs, case_retention_refused, case_follow_up_needs_support,
    case_reassessed_since_follow_up, case_provider_consent, case_implementation_plan_with_coaching,
    case_back_from_trial_or_job, case_work_trial_possible,
    verdict(in_view AND case_decline_reason = 'no_capacity',
        CASE WHEN NOT given(case_queue_review_on) OR passed(case_queue_review_on) THEN 'violated'::outcome
            ELSE 'satisfied'::outcome END
    ) AS "queue-has-review-date",
    verdict(wish_waits, CASE WHEN passed(answer_wish_by) THEN 'violated'::outcome ELSE 'advised'::outcome END
    ) AS "wish-to-work-answered",
    verdict(wish_waits, 'advised') AS "offer-coaching-when-client-wants-work",
    verdict(in_view AND case_some_service_running = 'yes', met(case_social_worker_assigned = 'yes')
    ) AS "social-worker-assigned",
    verdict(in_view AND case_employment = 'ended' AND case_employed = 'no' AND case_interest IS DISTINCT FROM 'no',
        CASE WHEN case_job_search_resumed = 'yes' THEN 'satisfied'::outcome ELSE 'advised'::outcome END
    ) AS "new-job-after-loss",
    verdict(in_view AND case_some_service_ended = 'yes' AND case_nothing_runs = 'yes',
        met(case_social_worker_assigned = 'yes' AND case_retention_refused = 'no')
    ) AS "nobody-left-between-services",
    verdict(not_closed AND case_follow_up_needs_support = 'yes' AND case_reassessed_since_follow_up = 'no', 'advised'
    ) AS "follow-up-reconnect",
    verdict(in_force(as_of()), met(case_entries_inconsistent = 'no')) AS "path-inconsistent",
    verdict(in_view AND case_referral = 'initiated', 'advised') AS "next-agree-selection",
    verdict(in_view AND case_referral = 'agreed', 'advised') AS "next-update-plan",
    obtain_consent AS "next-obtain-consent",
    verdict(in_view AND case_referral = 'planned' AND case_activity = 'active'
        AND case_implementation_plan_with_coaching = 'no', 'advised') AS "next-update-implementation-plan",
    verdict(in_view AND case_referral = 'planned' AND case_coaching_running = 'no'
        AND CASE obtain_consent WHEN 'advised' THEN false WHEN 'unknown' THEN NULL ELSE true END, 'advised'
    ) AS "next-start-coaching",
    verdict(in_view AND case_coaching = 'agreement', 'advised') AS "next-make-profile",
    verdict(in_view AND (case_coaching = 'profile' OR case_back_from_trial_or_job = 'yes'), 'advised'
    ) AS "next-search-open-market",
    verdict(in_view AND case_coaching = 'job_search' AND case_employed = 'no' AND case_job_agreed = 'no', 'advised'
    ) AS "next-agree-job",
    verdict(in_view AND case_coaching = 'job_search' AND case_trial_running = 'no' AND case_employed = 'no'
        AND case_trial_agreed = 'no' AND case_work_trial_possible = 'yes', 'advised'
    ) AS "next-agree-work-trial",
    verdict(in_view AND case_employment = 'employed', 'advised') AS "next-support-at-work",
    verdict(in_view AND case_stage = 'between_services', 'advised') AS "next-assess-needs",
    verdict(in_view AND case_stage = 'coaching_interrupted', 'advised') AS "next-review-interruption"
FROM applied;

CREATE TEMP TABLE judged_activities AS
WITH seen AS (
    SELECT *,
        activity_in_view = 'yes' AND activity_status = 'active' AND in_force(as_of()) AS active,
        activity_in_view = 'yes' AND activity_status = 'ended' AS over,
        plus_months(case_interest_asked_on, 12) AS ask_interest_after,
        plus_months(case_plan_checked_on, 3) AS review_plan_by,
        plus_months(activity_ended_on, 3) AS follow_up_by,
        coalesce(shown(activity_ended_on), as_of()) AS judged_at_end,
        coalesce(shown(activity_period_start_on), as_of()) AS judged_at_period
    FROM activities
)
SELECT case_no, subject_no, entry, ended, judged_at_end, judged_at_period,
    case_interest_asked_on, case_coaching_info_given, case_basic_consent, case_plan_exists, case_plan_valid_until,
    case_plan_checked_on, review_plan_by, case_activity_decision, case_activity_decision_until,
    activity_implementation_plan, activity_end_reason, activity_period_end, case_coaching_running, case_employed,
    case_trial_running, activity_days_per_week, activity_retention_decided, follow_up_by, activity_followed_up_on,
    verdict(active AND (NOT given(case_interest_asked_on) OR passed(ask_interest_after)), 'advised'
    ) AS "ask-interest-in-work",
    verdict(active AND case_coaching_info_given = 'no', 'advised') AS "tell-all-ktt-clients",
    verdict(active AND as_of() <= DATE '2024-12-31', met(case_basic_consent = 'yes')
    ) AS "basic-consent-before-ktt",
    verdict(active, broken_or_soon(case_plan_exists = 'no' OR passed(case_plan_valid_until), false)
    ) AS "ktt-rests-on-activation-plan",
    verdict(active AND as_of() >= DATE '2022-05-02' AND case_plan_exists = 'yes',
        broken_or_soon(passed(review_plan_by), review_plan_by <= as_of() + 14)
    ) AS "plan-review-every-3-months",
    verdict(active, broken_or_soon(case_activity_decision = 'no' OR passed(case_activity_decision_until),
        case_activity_decision_until <= as_of() + 30)) AS "service-decision-current",
    verdict(active AND passed(plus_days(activity_started_on, 30)), met(activity_implementation_plan = 'yes')
    ) AS "ts-drawn-with-social-instructor",
    verdict(over AND in_force(judged_at_end), met(activity_end_reason <> 'coaching_started')
    ) AS "ktt-and-ot-not-ended-by-coaching",
    verdict(active AND plus_months(activity_period_end, -3) <= as_of(),
        met(case_referral IN ('initiated', 'agreed', 'planned') OR case_coaching_running = 'yes'
            OR case_trial_running = 'yes' OR case_employed = 'yes')) AS "critical-point-ktt-end",
    verdict(activity_in_view = 'yes' AND activity_status = 'active' AND as_of() >= DATE '2015-07-01',
        met(activity_days_per_week BETWEEN 1 AND 4)) AS "days-per-week-1-4",
    verdict(activity_in_view = 'yes' AND activity_period_end_given = 'yes' AND in_force(judged_at_period),
        met(CASE WHEN given(activity_period_end) AND given(activity_period_start_on)
                     THEN activity_period_end BETWEEN plus_months(activity_period_start_on, 3) - 1
                         AND plus_months(activity_period_start_on, 24)
                 WHEN activity_period_end IS NOT NULL THEN true END)
    ) AS "activity-period-3-24-months",
    verdict(over AND in_force(judged_at_end),
        met_or_late(activity_retention_decided = 'yes', activity_retention_decided_late = 'yes')
    ) AS "ot-may-stay-after-ktt",
    verdict(case_stage <> 'closed' AND activity_status = 'ended' AND in_force(judged_at_end)
            AND plus_months(activity_ended_on, 1) <= as_of(),
        done_by(follow_up_by, activity_followed_up_on, DATE '9999-12-31')) AS "follow-up-contact-1-3-months"
FROM seen;

CREATE TEMP TABLE judged_pauses AS
WITH seen AS (
    SELECT *,
        pause_in_view = 'yes' AND pause_running = 'yes' AND pause_reason = 'work_trial' AND in_force(as_of())
            AS for_trial,
        plus_months(pause_started_on, 1) AS latest_end
    FROM pauses
)
SELECT case_no, subject_no, entry, ended, pause_reason, pause_trial_planned_end, latest_end,
    verdict(for_trial, broken_or_soon(passed(latest_end), latest_end <= as_of() + 7)
    ) AS "ktt-pause-max-one-month",
    verdict(for_trial AND case_work_trial = 'running'
            AND (NOT given(pause_trial_planned_end) OR pause_trial_planned_end > latest_end),
        CASE WHEN passed(latest_end) THEN 'violated'::outcome ELSE 'advised'::outcome END)
    AS "ktt-ends-if-trial-continues"
FROM seen;

CREATE TEMP TABLE judged_referrals AS
SELECT case_no, subject_no, entry, ended, referral_planned_on, referral_selected_on, referral_met_on,
    verdict(case_in_view = 'yes' AND referral_status <> 'over' AND in_force(as_of()),
        done_by(referral_planned_on, referral_selected_on, referral_maybe_selected_on)
    ) AS "selection-together",
    verdict(case_in_view = 'yes' AND referral_running = 'yes' AND case_stage = 'plan_update' AND in_force(as_of()),
        done_by(referral_planned_on, referral_met_on, DATE '9999-12-31')) AS "joint-meeting-at-planning"
FROM referrals;

CREATE TEMP TABLE judged_plans AS
WITH seen AS (
    SELECT *,
        coalesce(shown(plan_updated_on), as_of()) AS judged_at_update,
        plan_kind = 'multi_sector_plan' AND plan_has_work_ability_team = 'yes' AS team,
        plan_has_social_worker = 'yes' OR team AS worker_or_team
    FROM plans
)
SELECT case_no, subject_no, entry, ended, judged_at_update, team, worker_or_team, plan_has_client,
    plan_has_employment_coach, plan_has_social_worker, plan_kind, plan_has_work_ability_team,
    verdict(case_in_view = 'yes' AND in_force(judged_at_update),
        met(plan_has_client = 'yes' AND plan_has_employment_coach = 'yes' AND worker_or_team)
    ) AS "omatyontekija-always-in-plan-meeting"
FROM seen;

CREATE TEMP TABLE judged_coachings AS
WITH seen AS (
    SELECT *,
        case_in_view = 'yes' AND in_force(as_of()) AS in_view,
        case_in_view = 'yes' AND in_force(coalesce(shown(coaching_started_on), as_of())) AS in_view_at_start,
        coalesce(shown(coaching_started_on), as_of()) AS judged_at_start,
        coalesce(shown(coaching_ended_on), as_of()) AS judged_at_end,
        coaching_plan_updated_before = 'yes' AS planned,
        CASE WHEN NOT given(coaching_period_end) THEN plus_months(coaching_period_from, 3)
             ELSE coaching_period_end END AS renew_by,
        plus_days(coaching_started_on, 30) AS meet_employer_by
    FROM coachings
)
SELECT case_no, subject_no, entry, ended, judged_at_start, judged_at_end, coaching_provider_kind, coaching_consent,
    coaching_consent_withdrawn, coaching_plan_updated_before, coaching_alongside_activity, coaching_work_trial_possible,
    coaching_other_services_possible, coaching_wage_subsidy_clarified, coaching_implementation_plan, renew_by,
    coaching_period_end, coaching_period_from, meet_employer_by, coaching_employer_met_on, coaching_review_on,
    coaching_ended_in_first_job_year, coaching_end_reason,
    verdict(in_view AND coaching_running = 'yes' AND coaching_provider_kind = 'private', met(coaching_consent = 'yes')
    ) AS "extra-consent-for-provider",
    verdict(in_view_at_start AND coaching_running = 'yes',
        met_or_late(planned, coaching_plan_updated_after = 'yes')) AS "as-update-before-coaching",
    verdict(in_view_at_start AND planned, met(coaching_period_in_plan = 'yes')
    ) AS "as-records-coaching-period",
    verdict(in_view AND planned AND case_activity = 'active', met(coaching_alongside_activity = 'yes')
    ) AS "as-records-coaching-during-ktt",
    verdict(in_view AND planned, met(coaching_work_trial_possible = 'yes')) AS "as-preauthorises-trial",
    verdict(in_view AND planned, met(coaching_other_services_possible = 'yes')) AS "as-preauthorises-other-te",
    verdict(in_view AND planned, met(coaching_wage_subsidy_clarified = 'yes')) AS "as-clarifies-wage-subsidy",
    verdict(in_view AND coaching_status = 'active' AND case_activity = 'active',
        met(coaching_implementation_plan = 'yes')) AS "ts-records-coaching",
    verdict(in_view AND coaching_status = 'active', broken_or_soon(passed(renew_by), renew_by <= as_of() + 14)
    ) AS "coaching-renewal-individual",
    verdict(in_view_at_start
            AND (coaching_running = 'yes' OR (given(coaching_ended_on) AND coaching_ended_on > meet_employer_by)),
        done_by(meet_employer_by, coaching_employer_met_on, DATE '9999-12-31')
    ) AS "first-employer-meeting-30d",
    verdict(in_view AND coaching_status = 'interrupted',
        CASE WHEN NOT given(coaching_review_on) OR passed(coaching_review_on) THEN 'violated'::outcome
            ELSE 'satisfied'::outcome END
    ) AS "redirect-work-ability-support",
    verdict(case_in_view = 'yes' AND in_force(judged_at_end) AND coaching_ended_in_first_job_year = 'yes'
            AND coaching_wish_at_end <> 'none',
        met(coaching_end_reason IN ('client_choice', 'moved'))) AS "support-does-not-end-at-hire"
FROM seen;

CREATE TEMP TABLE judged_trials AS
WITH seen AS (
    SELECT *,
        trial_in_view = 'yes' AND in_force(as_of()) AS in_view,
        trial_in_view = 'yes' AND in_force(as_of()) AND trial_running = 'yes' AS running,
        trial_in_view = 'yes' AND in_force(coalesce(shown(trial_started_on), as_of())) AS in_view_at_start,
        coalesce(shown(trial_started_on), as_of()) AS judged_at_start,
        plus_months(trial_started_on, 6) AS latest_end,
        plus_days(trial_ended_on, 14) AS contact_by
    FROM trials
)
SELECT case_no, subject_no, entry, ended, judged_at_start, trial_plan_in_time, trial_plan_late, trial_endorsements,
    trial_beside_activity, trial_activity_statement, trial_trial_statement, trial_statements_lapse_early,
    trial_statements_end_on, trial_capacity_considered, trial_weekly_days, trial_lost_coaching_reason, trial_outcome,
    trial_support_since, contact_by, trial_record_extract_needed, trial_record_extract_advised, trial_travel_advised,
    trial_planned_end, latest_end,
    verdict(in_view_at_start, met_or_late(trial_plan_in_time = 'yes', trial_plan_late = 'yes')
    ) AS "as-update-on-trial",
    verdict(in_view_at_start, met_or_late(trial_endorsements = 'yes', trial_endorsements_late = 'yes')
    ) AS "ov-checks-endorsements-at-trial",
    verdict(running AND trial_beside_activity = 'yes',
        met(trial_activity_statement = 'yes' AND trial_trial_statement = 'yes')
    ) AS "trial-parallel-two-statements",
    verdict(in_view AND trial_proposed = 'no' AND trial_beside_activity = 'yes' AND trial_activity_statement = 'yes'
        AND trial_trial_statement = 'yes' AND trial_statements_lapse_early = 'yes', 'advised'
    ) AS "statement-lapses-before-overlap-ends",
    verdict(running AND trial_beside_activity = 'yes', met(trial_capacity_considered = 'yes')
    ) AS "trial-parallel-capacity",
    verdict(running AND trial_beside_activity = 'yes', met(trial_weekly_days <= 5)) AS "trial-parallel-days",
    verdict(running AND trial_lost_coaching_reason NOT IN ('none', 'client_choice', 'moved'), 'advised'
    ) AS "transition-support-retained",
    verdict(in_view AND trial_latest = 'yes' AND trial_outcome IN ('interrupted', 'failed'),
        done_by(contact_by, trial_support_since, DATE '9999-12-31')) AS "trial-failure-keeps-support",
    verdict(running AND trial_record_extract_needed = 'yes', CASE trial_record_extract_advised
        WHEN 'yes' THEN 'satisfied'::outcome WHEN 'no' THEN 'advised'::outcome ELSE 'unknown'::outcome END)
    AS "criminal-record-cost",
    verdict(running AND NOT passed(plus_months(trial_started_on, 1)), CASE trial_travel_advised
        WHEN 'yes' THEN 'satisfied'::outcome WHEN 'no' THEN 'advised'::outcome ELSE 'unknown'::outcome END)
    AS "trial-first-month-travel",
    verdict(running AND as_of() >= DATE '2025-01-01',
        broken_or_soon((given(trial_planned_end) AND trial_planned_end > latest_end) OR passed(latest_end), false)
    ) AS "trial-max-six-months",
    verdict(running AND (passed(plus_months(trial_started_on, 2)) OR plus_months(trial_planned_end, -1) <= as_of()),
        'advised') AS "next-plan-after-trial",
    verdict(in_view AND trial_latest = 'yes' AND trial_outcome = 'completed' AND trial_begun_since = 'no', 'advised'
    ) AS "next-choose-after-trial"
FROM seen;

CREATE TEMP TABLE judged_jobs AS
WITH seen AS (
    SELECT jobs.*, workdays.third_after,
        coalesce(shown(job_started_on), as_of()) AS judged_at_start,
        coalesce(shown(job_ended_on), as_of()) AS judged_at_end,
        coalesce(workdays.third_after, job_end_known_on) AS contact_by
    FROM jobs LEFT JOIN workdays ON workdays.day = job_end_known_on
)
SELECT case_no, subject_no, entry, ended, judged_at_start, judged_at_end, job_latest_meeting, job_latest_meeting_by,
    job_next_meeting_by, contact_by, job_coach_contact_on, job_started_on, job_counselled_on,
    verdict(job_in_view = 'yes' AND job_status IN ('pending', 'running') AND in_force(as_of())
            AND case_coaching IN ('agreement', 'profile', 'job_search', 'employer_support', 'job_retention')
            AND job_contact_wish NOT IN ('less', 'none'),
        broken_or_soon(job_latest_meeting = 'missed' OR passed(job_next_meeting_by), given(job_next_meeting_by))
    ) AS "after-job-start-contacts",
    verdict(job_in_view = 'yes' AND job_coaching_at_end = 'yes' AND in_force(judged_at_end),
        done_by(contact_by, job_coach_contact_on, DATE '9999-12-31')) AS "job-loss-contact-3-workdays",
    verdict(job_in_view = 'yes' AND in_force(judged_at_start),
        done_by(job_started_on, job_counselled_on, job_maybe_counselled_on)) AS "benefit-counselling-part"
FROM seen;

CREATE TEMP TABLE judged_stops AS
WITH seen AS (SELECT *, coalesce(shown(stop_on), as_of()) AS judged_at_stop FROM stops)
SELECT case_no, subject_no, entry, ended, judged_at_stop, stop_reason,
    verdict(case_in_view = 'yes' AND in_force(judged_at_stop),
        met(stop_reason NOT IN ('readiness', 'substance_use', 'symptoms', 'cognition', 'treatment_absence',
            'violence_history', 'appearance'))) AS "open-access-no-screening",
    verdict(case_in_view = 'yes' AND stop_type = 'ended' AND in_force(judged_at_stop),
        met(stop_reason NOT IN ('time_limit', 'no_show'))) AS "no-time-limit-or-no-show-end"
FROM seen;

-- ==== 3. The open ones, a row for each ===============================================================================


CREATE TEMP VIEW open_of_cases AS
SELECT case_no, 'case'::kind AS kind, NULL::VARCHAR AS entry, false AS ended, rule, outcome, as_of() AS judged_on,
    CASE rule
        WHEN 'queue-has-review-date' THEN case_queue_review_on
        WHEN 'wish-to-work-answered' THEN answer_wish_by
        WHEN 'next-review-interruption' THEN case_review_interruption_on END AS due,
    CASE WHEN outcome = 'unknown' THEN CASE rule
        WHEN 'queue-has-review-date' THEN ['case.decline_reason']
        WHEN 'wish-to-work-answered' THEN wish_gaps
        WHEN 'offer-coaching-when-client-wants-work' THEN wish_gaps
        WHEN 'social-worker-assigned' THEN ['case.social_worker_assigned']
        WHEN 'new-job-after-loss' THEN ['case.employed']
        WHEN 'nobody-left-between-services' THEN CASE WHEN case_nothing_runs IS NULL THEN ['case.nothing_runs']
            ELSE [gap(case_retention_refused, 'case.retention_refused'),
                  gap(case_social_worker_assigned, 'case.social_worker_assigned')] END
        WHEN 'follow-up-reconnect' THEN [gap(case_follow_up_needs_support, 'case.follow_up_needs_support'),
                                         gap(case_reassessed_since_follow_up, 'case.reassessed_since_follow_up')]
        WHEN 'next-obtain-consent' THEN ['case.provider_consent']
        WHEN 'next-update-implementation-plan' THEN ['case.implementation_plan_with_coaching']
        WHEN 'next-start-coaching' THEN [gap(case_coaching_running, 'case.coaching_running'),
                                         gap(case_provider_consent, 'finding.next-obtain-consent')]
        WHEN 'next-search-open-market' THEN ['case.back_from_trial_or_job']
        WHEN 'next-agree-job' THEN ['case.employed']
        WHEN 'next-agree-work-trial' THEN [gap(case_employed, 'case.employed'),
            gap(case_trial_running, 'case.trial_running'), gap(case_work_trial_possible, 'case.work_trial_possible')]
    END END AS missing,
    CASE WHEN rule = 'next-search-open-market' AND case_back_from_trial_or_job = 'yes' THEN 'resume_job_search'::action
    END AS other_action
FROM (UNPIVOT judged_cases ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

CREATE TEMP VIEW open_of_activities AS
SELECT case_no, 'activity'::kind AS kind, entry, ended, rule, outcome,
    CASE rule
        WHEN 'ktt-and-ot-not-ended-by-coaching' THEN judged_at_end
        WHEN 'activity-period-3-24-months' THEN judged_at_period
        WHEN 'ot-may-stay-after-ktt' THEN judged_at_end
        WHEN 'follow-up-contact-1-3-months' THEN judged_at_end
        ELSE as_of() END AS judged_on,
    CASE rule
        WHEN 'ktt-rests-on-activation-plan' THEN case_plan_valid_until
        WHEN 'plan-review-every-3-months' THEN review_plan_by
        WHEN 'service-decision-current' THEN case_activity_decision_until
        WHEN 'follow-up-contact-1-3-months' THEN follow_up_by END AS due,
    CASE WHEN outcome = 'unknown' THEN CASE rule
        WHEN 'ask-interest-in-work' THEN ['case.interest_asked_on']
        WHEN 'tell-all-ktt-clients' THEN ['case.coaching_info_given']
        WHEN 'basic-consent-before-ktt' THEN ['case.basic_consent']
        WHEN 'ktt-rests-on-activation-plan' THEN ['case.plan_exists']
        WHEN 'plan-review-every-3-months' THEN
            CASE WHEN case_plan_exists IS NULL THEN ['case.plan_exists'] ELSE ['case.plan_checked_on'] END
        WHEN 'service-decision-current' THEN ['case.activity_decision']
        WHEN 'ts-drawn-with-social-instructor' THEN ['activity.implementation_plan']
        WHEN 'ktt-and-ot-not-ended-by-coaching' THEN ['activity.end_reason']
        WHEN 'critical-point-ktt-end' THEN CASE WHEN activity_period_end IS NULL THEN ['activity.period_end']
            ELSE [gap(case_coaching_running, 'case.coaching_running'), gap(case_employed, 'case.employed'),
                  gap(case_trial_running, 'case.trial_running')] END
        WHEN 'days-per-week-1-4' THEN ['activity.days_per_week']
        WHEN 'activity-period-3-24-months' THEN ['activity.period_end']
        WHEN 'ot-may-stay-after-ktt' THEN ['activity.retention_decided']
        WHEN 'follow-up-contact-1-3-months' THEN ['activity.followed_up_on']
    END END AS missing,
    NULL::action AS other_action
FROM (UNPIVOT judged_activities ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

CREATE TEMP VIEW open_of_pauses AS
SELECT case_no, 'pause'::kind AS kind, entry, ended, rule, outcome, as_of() AS judged_on, latest_end AS due,
    CASE WHEN outcome = 'unknown' THEN CASE rule
        WHEN 'ktt-pause-max-one-month' THEN ['pause.reason']
        WHEN 'ktt-ends-if-trial-continues' THEN [gap(pause_reason, 'pause.reason'),
                                                 gap(pause_trial_planned_end, 'pause.trial_planned_end')]
    END END AS missing,
    NULL::action AS other_action
FROM (UNPIVOT judged_pauses ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

CREATE TEMP VIEW open_of_referrals AS
SELECT case_no, 'referral'::kind AS kind, entry, ended, rule, outcome, as_of() AS judged_on, referral_planned_on AS due,
    CASE WHEN outcome = 'unknown' THEN CASE rule
        WHEN 'selection-together' THEN
            CASE WHEN referral_selected_on IS NULL THEN ['referral.selected_on'] ELSE ['referral.maybe_selected_on'] END
        WHEN 'joint-meeting-at-planning' THEN ['referral.met_on']
    END END AS missing,
    NULL::action AS other_action
FROM (UNPIVOT judged_referrals ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

CREATE TEMP VIEW open_of_plans AS
SELECT case_no, 'plan'::kind AS kind, entry, ended, rule, outcome, judged_at_update AS judged_on, NULL::DATE AS due,
    CASE WHEN outcome = 'unknown' THEN [
        gap(plan_has_client, 'plan.has_client'),
        gap(plan_has_employment_coach, 'plan.has_employment_coach'),
        CASE WHEN worker_or_team IS NULL THEN gap(plan_has_social_worker, 'plan.has_social_worker') END,
        CASE WHEN worker_or_team IS NULL AND team IS NULL
            THEN gap(plan_has_work_ability_team, 'plan.has_work_ability_team') END,
        CASE WHEN worker_or_team IS NULL AND team IS NULL THEN gap(plan_kind, 'plan.kind') END] END AS missing,
    NULL::action AS other_action
FROM (UNPIVOT judged_plans ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

CREATE TEMP VIEW open_of_coachings AS
SELECT case_no, 'coaching'::kind AS kind, entry, ended, rule, outcome,
    CASE rule
        WHEN 'as-update-before-coaching' THEN judged_at_start
        WHEN 'as-records-coaching-period' THEN judged_at_start
        WHEN 'first-employer-meeting-30d' THEN judged_at_start
        WHEN 'support-does-not-end-at-hire' THEN judged_at_end
        ELSE as_of() END AS judged_on,
    CASE rule
        WHEN 'coaching-renewal-individual' THEN renew_by
        WHEN 'first-employer-meeting-30d' THEN meet_employer_by
        WHEN 'redirect-work-ability-support' THEN coaching_review_on END AS due,
    CASE WHEN outcome = 'unknown' THEN CASE
        WHEN rule = 'extra-consent-for-provider' THEN
            CASE WHEN coaching_provider_kind IS NULL THEN ['coaching.provider_kind'] ELSE ['coaching.consent'] END
        WHEN rule LIKE 'as-%' AND coaching_plan_updated_before IS NULL THEN ['coaching.plan_updated_before']
        WHEN rule = 'as-records-coaching-during-ktt' THEN ['coaching.alongside_activity']
        WHEN rule = 'as-preauthorises-trial' THEN ['coaching.work_trial_possible']
        WHEN rule = 'as-preauthorises-other-te' THEN ['coaching.other_services_possible']
        WHEN rule = 'as-clarifies-wage-subsidy' THEN ['coaching.wage_subsidy_clarified']
        WHEN rule = 'ts-records-coaching' THEN ['coaching.implementation_plan']
        WHEN rule = 'coaching-renewal-individual' THEN [gap(coaching_period_end, 'coaching.period_end'),
                                                        gap(coaching_period_from, 'coaching.period_from')]
        WHEN rule = 'first-employer-meeting-30d' THEN ['coaching.employer_met_on']
        WHEN rule = 'support-does-not-end-at-hire' THEN CASE WHEN coaching_ended_in_first_job_year IS NULL
            THEN ['coaching.ended_in_first_job_year'] ELSE ['coaching.end_reason'] END
    END END AS missing,
    CASE WHEN rule = 'extra-consent-for-provider' AND coaching_consent_withdrawn = 'yes' THEN 'stop_sharing'::action
    END AS other_action
FROM (UNPIVOT judged_coachings ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

CREATE TEMP VIEW open_of_trials AS
SELECT case_no, 'trial'::kind AS kind, entry, ended, rule, outcome,
    CASE WHEN rule IN ('as-update-on-trial', 'ov-checks-endorsements-at-trial') THEN judged_at_start ELSE as_of()
    END AS judged_on,
    CASE rule
        WHEN 'statement-lapses-before-overlap-ends' THEN trial_statements_end_on
        WHEN 'trial-failure-keeps-support' THEN contact_by
        WHEN 'trial-max-six-months' THEN latest_end
        WHEN 'next-plan-after-trial' THEN trial_planned_end END AS due,
    CASE WHEN outcome = 'unknown' THEN CASE
        WHEN rule = 'as-update-on-trial' THEN
            CASE WHEN trial_plan_in_time IS NULL THEN ['trial.plan_in_time'] ELSE ['trial.plan_late'] END
        WHEN rule = 'ov-checks-endorsements-at-trial' THEN ['trial.endorsements']
        WHEN rule = 'statement-lapses-before-overlap-ends' THEN [
            gap(trial_activity_statement, 'trial.activity_statement'),
            gap(trial_beside_activity, 'trial.beside_activity'),
            gap(trial_statements_lapse_early, 'trial.statements_lapse_early'),
            gap(trial_trial_statement, 'trial.trial_statement')]
        WHEN rule LIKE 'trial-parallel-%' AND trial_beside_activity IS NULL THEN ['trial.beside_activity']
        WHEN rule = 'trial-parallel-two-statements' THEN [gap(trial_activity_statement, 'trial.activity_statement'),
                                                          gap(trial_trial_statement, 'trial.trial_statement')]
        WHEN rule = 'trial-parallel-capacity' THEN ['trial.capacity_considered']
        WHEN rule = 'trial-parallel-days' THEN ['trial.weekly_days']
        WHEN rule = 'transition-support-retained' THEN ['trial.lost_coaching_reason']
        WHEN rule = 'trial-failure-keeps-support' THEN
            CASE WHEN trial_outcome IS NULL THEN ['trial.outcome'] ELSE ['trial.support_since'] END
        WHEN rule = 'criminal-record-cost' THEN CASE WHEN trial_record_extract_needed IS NULL
            THEN ['trial.record_extract_needed'] ELSE ['trial.record_extract_advised'] END
        WHEN rule = 'trial-first-month-travel' THEN ['trial.travel_advised']
        WHEN rule = 'trial-max-six-months' THEN ['trial.planned_end']
        WHEN rule = 'next-plan-after-trial' THEN ['trial.planned_end']
        WHEN rule = 'next-choose-after-trial' THEN ['trial.outcome']
    END END AS missing,
    NULL::action AS other_action
FROM (UNPIVOT judged_trials ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

CREATE TEMP VIEW open_of_jobs AS
SELECT case_no, 'job'::kind AS kind, entry, ended, rule, outcome,
    CASE rule
        WHEN 'job-loss-contact-3-workdays' THEN judged_at_end
        WHEN 'benefit-counselling-part' THEN judged_at_start
        ELSE as_of() END AS judged_on,
    CASE rule
        WHEN 'after-job-start-contacts' THEN
            CASE WHEN outcome = 'violated' THEN job_latest_meeting_by ELSE job_next_meeting_by END
        WHEN 'job-loss-contact-3-workdays' THEN contact_by
        WHEN 'benefit-counselling-part' THEN job_started_on END AS due,
    CASE WHEN outcome = 'unknown' THEN CASE rule
        WHEN 'after-job-start-contacts' THEN [gap(job_latest_meeting, 'job.latest_meeting'),
                                              gap(job_next_meeting_by, 'job.next_meeting_by')]
        WHEN 'job-loss-contact-3-workdays' THEN ['job.coach_contact_on']
        WHEN 'benefit-counselling-part' THEN
            CASE WHEN job_counselled_on IS NULL THEN ['job.counselled_on'] ELSE ['job.maybe_counselled_on'] END
    END END AS missing,
    NULL::action AS other_action
FROM (UNPIVOT judged_jobs ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

CREATE TEMP VIEW open_of_stops AS
SELECT case_no, 'stop'::kind AS kind, entry, ended, rule, outcome, judged_at_stop AS judged_on, NULL::DATE AS due,
    CASE WHEN outcome = 'unknown' THEN ['stop.reason'] END AS missing,
    NULL::action AS other_action
FROM (UNPIVOT judged_stops ON COLUMNS('-') INTO NAME rule VALUE outcome)
WHERE is_open(outcome);

-- ==== 4. The findings ================================================================================================

CREATE TEMP TABLE standing AS SELECT case_no, rule, entry FROM set_asides WHERE until >= as_of();

CREATE TEMP VIEW opened AS
SELECT found.case_no, rule_id AS rule, kind, found.entry, outcome, severity,
    CASE WHEN outcome <> 'unknown' THEN shown(due) END AS due,
    CASE WHEN outcome = 'unknown' THEN list_filter(missing, lambda name: name IS NOT NULL) ELSE [] END AS missing,
    judged_on, coalesce(other_action, action) AS action, role,
    CASE WHEN outcome <> 'unknown' THEN standing.entry END AS set_aside,
    outcome <> 'unknown' AND standing.entry IS NULL AND (about_ending OR NOT ended) AS is_step
FROM (
    FROM open_of_cases
    UNION ALL FROM open_of_activities
    UNION ALL FROM open_of_pauses
    UNION ALL FROM open_of_referrals
    UNION ALL FROM open_of_plans
    UNION ALL FROM open_of_coachings
    UNION ALL FROM open_of_trials
    UNION ALL FROM open_of_jobs
    UNION ALL FROM open_of_stops
) AS found
JOIN rules USING (rule)
LEFT JOIN standing ON standing.case_no = found.case_no AND standing.rule = found.rule;

-- Where nothing else is to be done, keep in contact.
CREATE TEMP TABLE idle AS
SELECT case_no, 'advised'::outcome AS "next-keep-contact"
FROM judged_cases
WHERE not_closed AND case_no NOT IN (SELECT case_no FROM opened WHERE is_step);

CREATE TABLE outcome_counts AS
SELECT rule, outcome::VARCHAR AS outcome, count(*) AS subjects
FROM (
    SELECT rule, outcome FROM (UNPIVOT judged_cases ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT judged_activities ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT judged_pauses ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT judged_referrals ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT judged_plans ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT judged_coachings ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT judged_trials ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT judged_jobs ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT judged_stops ON COLUMNS('-') INTO NAME rule VALUE outcome)
    UNION ALL SELECT rule, outcome FROM (UNPIVOT idle ON COLUMNS('-') INTO NAME rule VALUE outcome)
)
GROUP BY ALL;

CREATE TEMP VIEW findings AS
SELECT "case", municipality, rule, kind AS subject_kind, entry AS subject_entry, outcome, severity, due, missing,
    judged_on, action, role, set_aside, is_step, getvariable('pack') AS pack,
    getvariable('pack_version') AS pack_version, as_of() AS as_of
FROM (
    FROM opened
    UNION ALL
    SELECT idle.case_no, 'next-keep-contact'::rule_id, 'case'::kind, NULL, "next-keep-contact", 'information'::severity,
        NULL, [], as_of(), 'keep_contact'::action, 'social_worker'::role, standing.entry, standing.entry IS NULL
    FROM idle LEFT JOIN standing ON standing.case_no = idle.case_no AND standing.rule = 'next-keep-contact'
)
JOIN cases USING (case_no);
