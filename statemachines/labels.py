"""The words of the charts in Finnish, Swedish and English: stages, charts, states, steps and guards.

Codes never change with the language; only these texts do.
"""

from statemachines.charts import PHASES

Text = dict[str, str]
LANGUAGES = ("fi", "sv", "en")


def _t(fi: str, sv: str, en: str) -> Text:
    return {"fi": fi, "sv": sv, "en": en}


_NOT_BEGUN = _t("Ei alkanut", "Inte börjat", "Not begun")
_RUNNING = _t("Käynnissä", "Pågår", "Running")
_ENDED = _t("Päättynyt", "Avslutad", "Ended")

STAGES: dict[str, Text] = {
    "closed": _t("Asia on päättynyt", "Ärendet är avslutat", "Case closed"),
    "other_outcome": _t("Muu suunta", "En annan riktning", "Another direction"),
    "employment": _t("Työssä", "I arbete", "At work"),
    "work_trial": _t("Työkokeilu", "Arbetsprövning", "Work trial"),
    "coaching": _t("Tuettu työhönvalmennus", "Stödd arbetscoachning", "Supported job coaching"),
    "coaching_interrupted": _t("Valmennus keskeytyksissä", "Coachningen är avbruten", "Coaching is interrupted"),
    "plan_update": _t("Valmennuksen valmistelu", "Coachningen förbereds", "Preparing for coaching"),
    "activity": _t(
        "Kuntouttava työtoiminta", "Arbetsverksamhet i rehabiliteringssyfte", "Rehabilitative work activity"
    ),
    "between_services": _t("Palvelujen välissä", "Mellan tjänster", "Between services"),
    "not_started": _t("Polku ei ole vielä alkanut", "Vägen har inte börjat än", "The path has not begun yet"),
}

CHARTS: dict[str, Text] = {
    "referral": _t("Ohjautuminen työhönvalmennukseen", "Vägen till arbetscoachning", "Referral to coaching"),
    "activity": _t(
        "Kuntouttava työtoiminta", "Arbetsverksamhet i rehabiliteringssyfte", "Rehabilitative work activity"
    ),
    "coaching": _t("Tuettu työhönvalmennus", "Stödd arbetscoachning", "Supported job coaching"),
    "work_trial": _t("Työkokeilu", "Arbetsprövning", "Work trial"),
    "employment": _t("Työ", "Arbete", "Employment"),
}

STATES: dict[str, dict[str, Text]] = {
    "referral": {
        "none": _t("Ei vireillä", "Inte aktuell", "Not under way"),
        "initiated": _t("Aloite tehty", "Initiativ taget", "Initiative taken"),
        "agreed": _t("Valinta sovittu", "Valet överenskommet", "Choice agreed"),
        "planned": _t("Kirjattu suunnitelmaan", "Inskriven i planen", "In the plan"),
        "done": _t("Valmennus alkoi", "Coachningen började", "Coaching began"),
    },
    "activity": {
        "none": _NOT_BEGUN,
        "active": _RUNNING,
        "paused": _t("Tauolla", "Pausad", "Paused"),
        "ended": _ENDED,
    },
    "coaching": {
        "none": _NOT_BEGUN,
        "agreement": _t("Sopiminen", "Överenskommelse", "Agreement"),
        "profile": _t("Ammatillinen profiili", "Yrkesprofil", "Vocational profile"),
        "job_search": _t("Työnhaku", "Jobbsökning", "Job search"),
        "employer_support": _t(
            "Yhteistyö työpaikan kanssa", "Samarbete med arbetsgivaren", "Working with the employer"
        ),
        "job_retention": _t("Työssä pysyminen", "Att behålla arbetet", "Keeping the job"),
        "interrupted": _t("Keskeytynyt", "Avbruten", "Interrupted"),
        "ended": _ENDED,
    },
    "work_trial": {"none": _NOT_BEGUN, "running": _RUNNING, "ended": _ENDED},
    "employment": {
        "none": _t("Ei työssä", "Inte i arbete", "Not at work"),
        "employed": _t("Työssä", "I arbete", "At work"),
        "ended": _t("Työ päättynyt", "Arbetet har upphört", "Job ended"),
    },
}

STEPS: dict[str, Text] = {
    "take_initiative": _t("Aloite työhönvalmennuksesta", "Initiativ till arbetscoachning", "Initiative for coaching"),
    "agree_selection": _t("Valinta tehdään yhdessä", "Valet görs tillsammans", "The choice is made together"),
    "update_plan": _t("Aktivointisuunnitelma päivitetään", "Aktiveringsplanen uppdateras", "The plan is updated"),
    "decline_coaching": _t("Valmennus ei nyt ala", "Arbetscoachningen börjar inte nu", "Coaching does not begin now"),
    "lose_interest": _t("Kysytään kiinnostusta", "Intresset efterfrågas", "Interest is asked"),
    "lapse_referral": _t("Valmistelu raukeaa", "Beredningen förfaller", "The preparation lapses"),
    "start_activity": _t("Työtoiminta alkaa", "Verksamheten börjar", "The activity starts"),
    "change_activity": _t("Työtoiminta muuttuu", "Verksamheten ändras", "The activity changes"),
    "pause_activity": _t("Työtoiminta tauolle", "Verksamheten pausas", "The activity is paused"),
    "resume_activity": _t("Työtoiminta jatkuu", "Verksamheten fortsätter", "The activity resumes"),
    "end_activity": _t("Työtoiminta päättyy", "Verksamheten avslutas", "The activity ends"),
    "start_coaching": _t("Työhönvalmennus alkaa", "Arbetscoachningen börjar", "Coaching starts"),
    "reach_phase": _t("Siirrytään vaiheeseen", "Övergång till en fas", "A phase is reached"),
    "renew_coaching": _t("Valmennusta jatketaan", "Arbetscoachningen förlängs", "Coaching is renewed"),
    "interrupt_coaching": _t("Valmennus keskeytyy", "Arbetscoachningen avbryts", "Coaching is interrupted"),
    "resume_coaching": _t("Valmennus jatkuu", "Arbetscoachningen återupptas", "Coaching resumes"),
    "end_coaching": _t("Valmennus päättyy", "Arbetscoachningen avslutas", "Coaching ends"),
    "start_work_trial": _t("Työkokeilu alkaa", "Arbetsprövningen börjar", "The trial starts"),
    "extend_work_trial": _t("Työkokeilua pidennetään", "Arbetsprövningen förlängs", "The trial is extended"),
    "end_work_trial": _t("Työkokeilu päättyy", "Arbetsprövningen avslutas", "The trial ends"),
    "start_job": _t("Työ alkaa", "Ett arbete börjar", "A job starts"),
    "end_job": _t("Työ päättyy", "Ett arbete upphör", "A job ends"),
}

# Guard family (the name without its phase) and the answer it must give.
GUARDS: dict[tuple[str, bool], Text] = {
    ("service_is_coaching", True): _t("palveluna työhönvalmennus", "för arbetscoachning", "the service is coaching"),
    ("client_does_not_refuse", True): _t(
        "ellei asiakas kieltäydy", "om klienten inte avböjer", "unless the client declines"
    ),
    ("plan_names_coaching", True): _t("siinä on valmennus", "den nämner arbetscoachning", "it names coaching"),
    ("coaching_is_not_running", True): _t("valmennus ei käynnissä", "ingen coachning pågår", "no coaching running"),
    ("interest_is_no", True): _t("asiakas ei nyt halua", "klienten vill inte nu", "the client does not want it now"),
    ("another_job_runs", True): _t("toinen työ jatkuu", "ett annat arbete fortsätter", "another job goes on"),
    ("another_job_runs", False): _t("muuta työtä ei ole", "inget annat arbete", "no other job"),
    ("phase_is", True): _t("mikä tahansa vaihe, myös takaisin", "vilken fas som helst, även tillbaka", "any phase"),
    ("was_in", True): _t("siihen vaiheeseen, josta jäätiin", "till den fas där man var", "back to the phase before"),
}

# The drawing's own words.
DRAWING: dict[str, Text] = {
    "title": _t("Asiakkaan polku", "Klientens väg", "The client's path"),
    "desc": _t(
        "Viisi rinnakkaista kulkua: tilat vierekkäin, askeleet allekkain.",
        "Fem parallella förlopp: lägena bredvid varandra, stegen under varandra.",
        "Five courses side by side in time: states in a row, steps beneath them.",
    ),
    "stage": _t("Vaihe", "Skede", "Stage"),
    "here": _t("Tässä nyt", "Här nu", "Here now"),
    "from": _t("mistä", "från", "from"),
    "to": _t("mihin", "till", "to"),
    "stays": _t("tila ei muutu", "läget ändras inte", "the state stays"),
}


def guard_family(name: str) -> str:
    """The guard's name without the phase it is about: ``phase_is_profile`` -> ``phase_is``."""
    for phase in PHASES:
        name = name.removesuffix(f"_{phase}")
    return name
