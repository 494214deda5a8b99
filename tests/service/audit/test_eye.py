from tests.service.audit.test_on_the_store import *
from tests.service.audit.conftest import *
from tests.service.conftest import *
@pytest.mark.parametrize("name", TAMPERING)
def test_eye(name, filled, signed, tamper, engine):
    if engine=="postgresql": return
    tamper(TAMPERING[name])
    f=[str(x) for x in looked(filled,signed).faults]; r=report_on(exported(filled),signed).faults
    print("\n##",name); print("  S",len(f),f[:2]); print("  V",len(r),r[:2])
