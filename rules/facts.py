"""The vocabulary: every fact a rule may read, declared once.

Facts are statuses, yes/no/unknown, numbers and absolute dates, never day counts: they change only when an entry does
(or on a day the fold announces), and what a day means is left to the rule (DESIGN "Facts"). Recorded facts come from
`rules.fold`; deadlines are derived from them in the pack. A subject of kind K has the case's facts and K's own.

A fact that can be unknown says so; unknown is never read as no. An absent date (`None`) is known to be absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

UNKNOWN = "unknown"

Value: TypeAlias = str | int | date | None
FactType: TypeAlias = Literal["yes_no", "enum", "number", "date"]

#: What a rule can be about (SPEC §4 "Each rule's subject").
KINDS = ("case", "activity", "pause", "referral", "plan", "coaching", "trial", "job", "stop")


@dataclass(frozen=True, slots=True)
class Fact:
    """One declared fact: `kind.name`, its type, the values it takes, its labels and the entries it is read from."""

    name: str
    type: FactType
    labels: dict[str, str]
    read_from: str
    values: tuple[str, ...] = ()
    may_be_unknown: bool = False

    @property
    def kind(self) -> str:
        """The kind of subject that carries the fact."""
        return self.name.split(".", 1)[0]

    @property
    def field(self) -> str:
        """The name within its kind: for a fact read off one field of an entry, that field's name."""
        return self.name.split(".", 1)[1]


def _labels(text: str) -> dict[str, str]:
    fi, sv, en = (part.strip() for part in text.split("|"))
    return {"fi": fi, "sv": sv, "en": en}


def _yes_no(name: str, labels: str, read_from: str, *, certain: bool = False) -> Fact:
    return Fact(name, "yes_no", _labels(labels), read_from, ("yes", "no"), not certain)


def _enum(name: str, values: str, labels: str, read_from: str, *, unknown: bool = False) -> Fact:
    return Fact(name, "enum", _labels(labels), read_from, tuple(values.split()), unknown)


def _number(name: str, labels: str, read_from: str, *, certain: bool = False) -> Fact:
    return Fact(name, "number", _labels(labels), read_from, (), not certain)


def _date(name: str, labels: str, read_from: str, *, unknown: bool = False) -> Fact:
    return Fact(name, "date", _labels(labels), read_from, (), unknown)


STAGES = (
    "not_started activity plan_update coaching coaching_interrupted work_trial employment between_services"
    " other_outcome closed"
)
PHASES = "agreement profile job_search employer_support job_retention"
COACHING_REASONS = (
    "goal_reached client_choice job_started moved other_service no_capacity time_limit no_show readiness"
    " substance_use symptoms cognition treatment_absence violence_history appearance other"
)
ACTIVITY_END_REASONS = "none period_over work_trial coaching_started job studies client_choice other"
WISHES = "none_recorded as_usual less none"

_CASE = (
    _enum("case.stage", STAGES, "vaihe | skede | stage", "all charts"),
    _yes_no("case.in_view", "säännöt koskevat tätä nyt | reglerna gäller detta nu | rules speak of it now",
            "the stage", certain=True),
    _enum("case.referral", "none initiated agreed planned done", "ohjautuminen | hänvisning | referral", "referral chart"),
    _enum("case.activity", "none active paused ended", "kuntouttava työtoiminta | arbetsverksamhet i rehabiliteringssyfte"
          " | rehabilitative work activity", "activity chart"),
    _enum("case.coaching", f"none {PHASES} interrupted ended", "tuettu työhönvalmennus | stödd arbetscoachning"
          " | supported job coaching", "coaching chart"),
    _enum("case.work_trial", "none running ended", "työkokeilu | arbetsprövning | work trial", "work_trial chart"),
    _enum("case.employment", "none employed ended", "työsuhde | anställning | employment", "employment chart"),
    _yes_no("case.activity_running", "työtoiminta käynnissä tai tauolla | arbetsverksamheten pågår eller har paus"
            " | activity running or paused", "activity chart"),
    _yes_no("case.coaching_running", "työhönvalmennus käynnissä tai keskeytynyt | arbetscoachningen pågår eller är avbruten"
            " | coaching active or interrupted", "coaching chart"),
    _yes_no("case.coaching_active", "työhönvalmennus käynnissä | arbetscoachningen pågår | coaching active", "coaching chart"),
    _yes_no("case.trial_running", "työkokeilu käynnissä | arbetsprövningen pågår | work trial running", "work_trial chart"),
    _yes_no("case.employed", "työssä | i arbete | employed", "employment chart"),
    _yes_no("case.some_service_ended", "jokin palvelu on päättynyt | någon service har avslutats | some service has ended",
            "all charts", certain=True),
    _enum("case.interest", "yes no undecided not_asked", "toive työstä | önskan om arbete | wish to work",
          "interest_asked, coaching_declined", unknown=True),
    _date("case.wish_on", "toive työstä kirjattu | önskan om arbete antecknad | wish to work recorded", "interest_asked"),
    _date("case.last_service_ended_on", "viimeisin valmennus, kokeilu tai työ päättyi | senaste coachning, prövning eller"
          " arbete slutade | last coaching, trial or job ended", "coaching, trial and job episodes"),
    _date("case.interest_asked_on", "työtoiveesta kysytty | frågat om önskan om arbete | asked about the wish to work",
          "interest_asked", unknown=True),
    _yes_no("case.coaching_info_given", "työhönvalmennuksesta kerrottu | informerat om arbetscoachning"
            " | told about coaching", "coaching_info_given"),
    _enum("case.decline_reason", f"none {COACHING_REASONS}", "voimassa olevan kielteisen vastauksen syy"
          " | orsak till gällande nekande svar | reason of the current decline", "coaching_declined", unknown=True),
    _date("case.queue_review_on", "jonon tarkistuspäivä | köns granskningsdag | queue review date", "coaching_declined"),
    _yes_no("case.provider_consent", "suostumus palveluntuottajalle | samtycke till serviceproducenten"
            " | consent for a provider", "consent_given, consent_withdrawn"),
    _yes_no("case.basic_consent", "perussuostumus | grundsamtycke | basic consent", "consent_given, consent_withdrawn"),
    _yes_no("case.plan_exists", "suunnitelma laadittu | planen uppgjord | a plan exists", "activation_plan_updated"),
    _date("case.plan_valid_until", "suunnitelma voimassa | planen gäller till | plan valid until", "activation_plan_updated"),
    _date("case.plan_checked_on", "suunnitelma viimeksi tarkistettu | planen senast granskad | plan last checked",
          "activation_plan_updated, plan_reviewed", unknown=True),
    _yes_no("case.activity_decision", "päätös työtoiminnasta voimassa | beslut om arbetsverksamhet i kraft"
            " | activity decision in force", "service_decision"),
    _date("case.activity_decision_until", "päätöksen viimeinen päivä | beslutets sista dag | last day of the decision",
          "service_decision"),
    _yes_no("case.social_worker_assigned", "omatyöntekijä nimetty | egen kontaktperson utsedd | social worker assigned",
            "worker_assigned, worker_released"),
    _yes_no("case.retention_refused", "omatyöntekijän tuki päätetty lopettaa | beslut att kontaktpersonens stöd upphör"
            " | decided not to keep the social worker", "social_worker_retention_decided"),
    _yes_no("case.implementation_plan_with_coaching", "valmennus toteuttamissuunnitelmassa | coachningen i"
            " genomförandeplanen | implementation plan with coaching", "implementation_plan_updated"),
    _yes_no("case.work_trial_possible", "suunnitelma mahdollistaa työkokeilun | planen möjliggör arbetsprövning"
            " | the plan allows a work trial", "activation_plan_updated"),
    _yes_no("case.back_from_trial_or_job", "palannut kokeilusta tai työstä | tillbaka från prövning eller arbete"
            " | back from a trial or a job", "trial, job and coaching episodes", certain=True),
    _yes_no("case.job_search_resumed", "työnhaku jatkuu | arbetssökningen fortsätter | job search resumed",
            "coaching_phase_reached", certain=True),
    _yes_no("case.follow_up_needs_support", "seuranta: tarvitsee tukea | uppföljning: behöver stöd"
            " | follow-up: needs support", "follow_up_done"),
    _yes_no("case.reassessed_since_follow_up", "tilanne arvioitu seurannan jälkeen | läget bedömt efter uppföljningen"
            " | reassessed since the follow-up", "need_assessed, activation_plan_updated"),
    _yes_no("case.entries_inconsistent", "kirjauksissa ristiriita | anteckningarna är motstridiga | entries contradict",
            "all charts", certain=True),
    _date("case.review_interruption_on", "keskeytyksen tarkistuspäivä | granskningsdag för avbrottet"
          " | interruption review date", "coaching_interrupted"),
)

_ACTIVITY = (
    _enum("activity.status", "active paused ended", "työtoiminnan tila | arbetsverksamhetens läge | activity status",
          "activity chart"),
    _yes_no("activity.running", "työtoiminta käynnissä | arbetsverksamheten pågår | activity running", "activity chart",
            certain=True),
    _yes_no("activity.in_view", "säännöt koskevat tätä nyt | reglerna gäller detta nu | rules speak of it now",
            "the stage", certain=True),
    _date("activity.started_on", "työtoiminta alkoi | arbetsverksamheten började | activity began", "activity_started"),
    _date("activity.ended_on", "työtoiminta päättyi | arbetsverksamheten slutade | activity ended", "activity_ended"),
    _enum("activity.end_reason", ACTIVITY_END_REASONS, "päättymisen syy | orsak till avslutet | reason for ending",
          "activity_ended", unknown=True),
    _number("activity.days_per_week", "päivää viikossa | dagar per vecka | days a week",
            "activity_started, activity_changed, activity_resumed"),
    _date("activity.period_start_on", "jakso alkoi | perioden började | period began", "activity_started, activity_changed"),
    _yes_no("activity.period_end_given", "jakson päättymispäivä kirjattu | periodens slutdag antecknad"
            " | period end recorded", "activity_started, activity_changed", certain=True),
    _date("activity.period_end", "jakso päättyy | perioden slutar | period ends", "activity_started, activity_changed",
          unknown=True),
    _yes_no("activity.implementation_plan", "toteuttamissuunnitelma tehty | genomförandeplan uppgjord"
            " | implementation plan made", "implementation_plan_updated"),
    _yes_no("activity.retention_decided", "omatyöntekijän tuesta päätetty ajoissa | beslut om kontaktpersonens stöd i tid"
            " | retention decided in time", "social_worker_retention_decided"),
    _yes_no("activity.retention_decided_late", "omatyöntekijän tuesta päätetty jälkikäteen | beslut om kontaktpersonens"
            " stöd i efterhand | retention decided afterwards", "social_worker_retention_decided", certain=True),
    _date("activity.followed_up_on", "seuranta tehty | uppföljning gjord | follow-up done", "follow_up_done", unknown=True),
)

_PAUSE = (
    _yes_no("pause.running", "tauko jatkuu | pausen pågår | pause open", "activity chart", certain=True),
    _yes_no("pause.in_view", "säännöt koskevat tätä nyt | reglerna gäller detta nu | rules speak of it now",
            "the stage", certain=True),
    _date("pause.started_on", "tauko alkoi | pausen började | pause began", "activity_paused"),
    _enum("pause.reason", "work_trial illness other", "tauon syy | orsak till pausen | reason of the pause",
          "activity_paused", unknown=True),
    _date("pause.trial_planned_end", "kokeilun suunniteltu loppu | prövningens planerade slut | planned end of the trial",
          "work_trial_started, work_trial_extended"),
)

_REFERRAL = (
    _enum("referral.status", "initiated agreed planned over", "ohjautumisen tila | hänvisningens läge | referral status",
          "referral chart"),
    _yes_no("referral.running", "ohjautuminen kesken | hänvisningen pågår | referral running", "referral chart", certain=True),
    _date("referral.planned_on", "suunnitelma päivitetty valmennusta varten | planen uppdaterad för coachningen"
          " | plan updated for coaching", "activation_plan_updated"),
    _date("referral.selected_on", "valinta tehty yhdessä | valet gjort tillsammans | selection made together",
          "selection_agreed", unknown=True),
    _date("referral.maybe_selected_on", "valinta, asiakkaan kanta kirjaamatta | val, klientens åsikt saknas"
          " | selection, client's view not recorded", "selection_agreed"),
    _date("referral.met_on", "yhteinen tapaaminen pidetty | gemensamt möte hållet | joint meeting held",
          "joint_meeting_held", unknown=True),
)

_PLAN = (
    _yes_no("plan.latest", "viimeisin suunnitelma | senaste planen | latest plan", "activation_plan_updated", certain=True),
    _date("plan.updated_on", "suunnitelma päivitetty | planen uppdaterad | plan updated", "activation_plan_updated"),
    _enum("plan.kind", "activation_plan multi_sector_plan", "suunnitelman laji | planens slag | kind of plan",
          "activation_plan_updated", unknown=True),
    _yes_no("plan.has_client", "asiakas mukana | klienten med | client present", "activation_plan_updated", certain=True),
    _yes_no("plan.has_social_worker", "omatyöntekijä mukana | egen kontaktperson med | social worker present",
            "activation_plan_updated", certain=True),
    _yes_no("plan.has_work_ability_team", "työkyvyn tuen tiimi mukana | teamet för stöd för arbetsförmågan med"
            " | work ability team present", "activation_plan_updated", certain=True),
    _yes_no("plan.has_employment_coach", "omavalmentaja mukana | egen coach med | employment coach present",
            "activation_plan_updated", certain=True),
)

_COACHING = (
    _enum("coaching.status", "to_come active interrupted ended", "valmennuksen tila | coachningens läge | coaching status",
          "coaching chart"),
    _yes_no("coaching.running", "valmennus käynnissä tai keskeytynyt | coachningen pågår eller är avbruten"
            " | coaching active or interrupted", "coaching chart", certain=True),
    _date("coaching.started_on", "valmennus alkoi | coachningen började | coaching began", "coaching_started"),
    _date("coaching.ended_on", "valmennus päättyi | coachningen slutade | coaching ended", "coaching_ended"),
    _enum("coaching.end_reason", f"none {COACHING_REASONS}", "päättymisen syy | orsak till avslutet | reason for ending",
          "coaching_ended", unknown=True),
    _enum("coaching.provider_kind", "public private", "palveluntuottajan laji | serviceproducentens slag"
          " | kind of provider", "coaching_started", unknown=True),
    _yes_no("coaching.consent", "tietoinen ja vapaaehtoinen suostumus tuottajalle | informerat och frivilligt samtycke till"
            " producenten | informed and voluntary consent for the provider", "consent_given, consent_withdrawn"),
    _yes_no("coaching.consent_withdrawn", "suostumus peruttu | samtycket återkallat | consent withdrawn",
            "consent_withdrawn", certain=True),
    _yes_no("coaching.plan_updated_before", "suunnitelma päivitetty ennen valmennusta | planen uppdaterad före coachningen"
            " | plan updated before coaching", "activation_plan_updated"),
    _yes_no("coaching.plan_updated_after", "suunnitelma päivitetty alun jälkeen | planen uppdaterad efter starten"
            " | plan updated after the start", "activation_plan_updated"),
    _yes_no("coaching.period_in_plan", "valmennuksen alku ja loppu suunnitelmassa | coachningens start och slut i planen"
            " | coaching's start and end in the plan", "activation_plan_updated", certain=True),
    _yes_no("coaching.alongside_activity", "valmennus työtoiminnan rinnalla | coachning vid sidan av arbetsverksamheten"
            " | coaching alongside activity", "activation_plan_updated"),
    _yes_no("coaching.work_trial_possible", "työkokeilu mahdollinen | arbetsprövning möjlig | work trial possible",
            "activation_plan_updated"),
    _yes_no("coaching.other_services_possible", "muut palvelut mahdollisia | andra tjänster möjliga"
            " | other services possible", "activation_plan_updated"),
    _yes_no("coaching.wage_subsidy_clarified", "palkkatuki selvitetty | lönesubvention utredd | wage subsidy clarified",
            "activation_plan_updated"),
    _yes_no("coaching.implementation_plan", "valmennus toteuttamissuunnitelmassa | coachningen i genomförandeplanen"
            " | coaching in the implementation plan", "implementation_plan_updated"),
    _date("coaching.period_from", "valmennusjakso alkoi | coachningsperioden började | coaching period began",
          "coaching_started, coaching_renewed", unknown=True),
    _date("coaching.period_end", "valmennusjakso päättyy | coachningsperioden slutar | coaching period ends",
          "coaching_started, coaching_renewed", unknown=True),
    _date("coaching.employer_met_on", "työnantaja tavattu | arbetsgivare träffad | employer met", "contact", unknown=True),
    _date("coaching.review_on", "keskeytyksen tarkistuspäivä | granskningsdag för avbrottet | interruption review date",
          "coaching_interrupted"),
    _yes_no("coaching.ended_in_first_job_year", "päättyi työn ensimmäisenä vuonna | slutade under arbetets första år"
            " | ended within the job's first year", "coaching and job episodes"),
    _enum("coaching.wish_at_end", WISHES, "toive tuesta päättyessä | önskan om stöd vid avslutet"
          " | wish for support at the end", "contact_wish_recorded"),
)

_TRIAL = (
    _enum("trial.status", "running ended", "kokeilun tila | prövningens läge | trial status", "work_trial chart"),
    _yes_no("trial.running", "kokeilu käynnissä | prövningen pågår | trial running", "work_trial chart", certain=True),
    _yes_no("trial.in_view", "säännöt koskevat tätä nyt | reglerna gäller detta nu | rules speak of it now",
            "the stage", certain=True),
    _yes_no("trial.proposed", "kokeilua ehdotetaan | prövningen föreslås | trial proposed", "the proposal", certain=True),
    _yes_no("trial.latest", "viimeisin kokeilu | senaste prövningen | latest trial", "work_trial chart", certain=True),
    _date("trial.started_on", "kokeilu alkoi | prövningen började | trial began", "work_trial_started"),
    _date("trial.ended_on", "kokeilu päättyi | prövningen slutade | trial ended", "work_trial_ended"),
    _enum("trial.outcome", "none completed interrupted failed hired", "kokeilun tulos | prövningens resultat"
          " | trial outcome", "work_trial_ended", unknown=True),
    _enum("trial.arrangement", "alongside_activity activity_paused activity_ended", "järjestely | arrangemang | arrangement",
          "work_trial_started", unknown=True),
    _date("trial.planned_end", "suunniteltu loppu | planerat slut | planned end", "work_trial_started, work_trial_extended",
          unknown=True),
    _yes_no("trial.plan_in_time", "suunnitelma kattaa kokeilun | planen omfattar prövningen | the plan covers the trial",
            "activation_plan_updated"),
    _yes_no("trial.plan_late", "suunnitelma kattaa kokeilun jälkikäteen | planen omfattar prövningen i efterhand"
            " | the plan covers the trial afterwards", "activation_plan_updated"),
    _yes_no("trial.endorsements", "puollot tarkistettu | förorden kontrollerade | endorsements checked",
            "endorsements_checked"),
    _yes_no("trial.endorsements_late", "puollot tarkistettu jälkikäteen | förorden kontrollerade i efterhand"
            " | endorsements checked afterwards", "endorsements_checked", certain=True),
    _yes_no("trial.activity_statement", "maksava lausunto työtoiminnasta | betalande utlåtande om arbetsverksamheten"
            " | paying statement for activity", "statement_issued, statement_withdrawn"),
    _yes_no("trial.trial_statement", "maksava lausunto työkokeilusta | betalande utlåtande om arbetsprövningen"
            " | paying statement for the trial", "statement_issued, statement_withdrawn"),
    _yes_no("trial.statements_lapse_early", "lausunto loppuu ennen kokeilua | utlåtandet tar slut före prövningen"
            " | a statement ends before the trial", "statement_issued, statement_withdrawn"),
    _date("trial.statements_end_on", "lausuntojen viimeinen päivä | utlåtandenas sista dag | last day of the statements",
          "statement_issued, statement_withdrawn"),
    _yes_no("trial.capacity_considered", "jaksaminen arvioitu | orken bedömd | capacity considered", "work_trial_started"),
    _number("trial.weekly_days", "päiviä viikossa yhteensä | dagar per vecka totalt | days a week in all",
            "work_trial_started, activity entries"),
    _yes_no("trial.record_extract_needed", "rikosrekisteriote tarvitaan | straffregisterutdrag behövs"
            " | record extract needed", "work_trial_started"),
    _yes_no("trial.record_extract_advised", "otteen kuluista neuvottu | råd om utdragets kostnad | advised on the extract",
            "economic_support_advised"),
    _yes_no("trial.travel_advised", "matkakuluista neuvottu | råd om resekostnader | advised on travel",
            "economic_support_advised"),
    _enum("trial.lost_coaching_reason", f"none {COACHING_REASONS}", "valmennuksen päättymisen syy ennen kokeilua tai sen"
          " aikana | orsak till att coachningen slutade | why coaching ended before or during the trial", "coaching_ended",
          unknown=True),
    _date("trial.support_since", "tuki jatkui tai yhteys otettiin kokeilun jälkeen | stödet fortsatte eller kontakt togs"
          " efter prövningen | support ran on or contact was made since the trial",
          "activity and coaching episodes, contact, activation_plan_updated", unknown=True),
    _yes_no("trial.begun_since", "jotain alkanut sen jälkeen | något har börjat sedan dess | something begun since",
            "start entries", certain=True),
)

_JOB = (
    _enum("job.status", "pending running ended", "työn tila | arbetets läge | job status", "employment chart, job_agreed"),
    _yes_no("job.running", "työ jatkuu | arbetet pågår | job running", "employment chart", certain=True),
    _yes_no("job.in_view", "säännöt koskevat tätä nyt | reglerna gäller detta nu | rules speak of it now",
            "the stage", certain=True),
    _date("job.started_on", "työ alkaa tai alkoi | arbetet börjar eller började | job begins or began",
          "job_started, job_agreed"),
    _date("job.ended_on", "työ päättyi | arbetet slutade | job ended", "job_ended"),
    _date("job.end_known_on", "päättymisestä tiedettiin | slutet känt | end known", "job_ended"),
    _yes_no("job.coaching_at_end", "valmennus käynnissä tai päättynyt vuoden sisällä | coachning pågick eller slutade inom"
            " ett år | coaching running then or within a year before", "coaching episodes"),
    _date("job.coach_contact_on", "työhönvalmentaja otti yhteyttä | arbetscoachen tog kontakt | job coach made contact",
          "contact", unknown=True),
    _date("job.maybe_coach_contact_on", "yhteydenotto, tekijä kirjaamatta | kontakt, vem saknas"
          " | contact, by whom not recorded", "contact"),
    _date("job.counselled_on", "etuusneuvonta annettu | förmånsrådgivning given | benefit counselling given",
          "benefit_counselling", unknown=True),
    _date("job.maybe_counselled_on", "etuusneuvonta, antaja kirjaamatta | förmånsrådgivning, av vem saknas"
          " | benefit counselling, by whom not recorded", "benefit_counselling"),
    _enum("job.contact_wish", WISHES, "toive tuesta | önskan om stöd | wish for support", "contact_wish_recorded"),
    _enum("job.latest_meeting", "none_due met missed", "viimeisin tapaamisaika | senaste mötestiden"
          " | the latest time for a meeting", "contact", unknown=True),
    _date("job.latest_meeting_by", "viimeisin tapaaminen viimeistään | senaste mötet senast | latest meeting by", "contact"),
    _date("job.next_meeting_by", "seuraava tapaaminen viimeistään | nästa möte senast | next meeting by", "contact",
          unknown=True),
)

_STOP = (
    _enum("stop.type", "declined ended interrupted", "mitä tapahtui | vad hände | what happened",
          "coaching_declined, coaching_ended, coaching_interrupted"),
    _enum("stop.reason", COACHING_REASONS, "syy | orsak | reason",
          "coaching_declined, coaching_ended, coaching_interrupted", unknown=True),
    _date("stop.on", "päivä | dag | day", "coaching_declined, coaching_ended, coaching_interrupted"),
)

#: Every recorded fact by name.
FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (*_CASE, *_ACTIVITY, *_PAUSE, *_REFERRAL, *_PLAN, *_COACHING, *_TRIAL, *_JOB, *_STOP)
}
