"""What the simulated QRS holds, answers and deletes; asked over the network, as everyone asks."""

import pytest

from seatwarden.engine.simulator.repository import Allocations
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.simulator.simulated import ANALYZER, HELD, NEW, NOW, OLD, PROFESSIONAL, SITE, Client, connect


class TestReading:
    def test_about(self, client: Client) -> None:
        assert client.get("/qrs/about")["schemaPath"] == "About"

    def test_users(self, client: Client) -> None:
        assert client.get("/qrs/user/full") == SITE["users"]
        condensed = client.get("/qrs/user")
        assert condensed[0] == {
            "id": "00000000-0000-4000-8000-000000000001",
            "userId": "user1",
            "userDirectory": "CORP",
            "name": "Jürgen the 1.",
            "privileges": None,
        }
        assert len(condensed) == 6
        assert client.get("/qrs/user/count") == {"value": 6}
        assert client.get(f"/qrs/user/{SITE['users'][3]['id']}") == SITE["users"][3]

    @pytest.mark.parametrize(("path", "name"), [(PROFESSIONAL, "professional"), (ANALYZER, "analyzer")])
    def test_licenses(self, client: Client, path: str, name: str) -> None:
        rows = SITE["licenses"][name]
        assert client.get(f"{path}/full") == rows
        assert client.get(path) == [{"id": row["id"], "privileges": None} for row in rows]
        assert client.get(f"{path}/count") == {"value": len(rows)}
        assert client.get(f"{path}/{rows[1]['id']}") == rows[1]

    def test_filters(self, client: Client) -> None:
        unused = client.select(f"{ANALYZER}/full", "lastUsed le '2026-01-31T23:59:59.999Z'")
        assert [row["user"]["userId"] for row in unused] == ["user4", "user5"]
        assert client.select(f"{ANALYZER}/count", "quarantined eq true") == {"value": 1}
        tagged = client.select("/qrs/user", "tags.name eq 'CONTRACTOR' and not userDirectory eq 'corp'")
        assert [user["userId"] for user in tagged] == ["user2"]

    @pytest.mark.parametrize("text", ["userId%20like%20'x'", "userId+eq+'user1'", "userId%20eq%20'O'Neil'"])
    def test_a_malformed_filter_is_a_bad_request(self, client: Client, text: str) -> None:
        answer = client.send(f"/qrs/user/full?filter={text}")
        assert answer.status_code == 400
        assert answer.text.startswith("Cannot parse the expression: userId")

    def test_the_overview_is_counted(self, client: Client) -> None:
        overview = client.get("/qrs/license/accesstypeoverview")
        analyzer = overview["analyzerAccess"]
        assert {name: analyzer[name] for name in ("allocated", "used", "quarantined", "excess")} == {
            "allocated": 3,
            "used": 2,
            "quarantined": 1,
            "excess": 0,
        }
        assert analyzer["available"] == analyzer["total"] - 4
        client.send(f"{ANALYZER}/{OLD}", "DELETE")
        after = client.get("/qrs/license/accesstypeoverview")["analyzerAccess"]
        assert after["available"] == analyzer["available"] + 1
        assert after["total"] == analyzer["total"]

    def test_the_license_is_plainly_a_fake(self, client: Client) -> None:
        license_ = client.get("/qrs/license")
        assert "Valid To: 2027-12-31" in license_["keyDetails"].splitlines()
        assert "FAKE" in license_["serial"]
        assert "fake" in license_["key"]

    def test_what_the_site_gives_is_answered(self) -> None:
        site = {"accessTypeOverview": {}, "license": {"keyDetails": "Valid To: 2020-01-01"}}
        with SimulatedQrs(site) as qrs, connect() as session:
            client = Client(qrs.url, session)
            assert client.get("/qrs/license/accesstypeoverview") == {}
            assert client.get("/qrs/license") == {"keyDetails": "Valid To: 2020-01-01"}
            assert client.get("/qrs/user/full") == client.get(f"{ANALYZER}/full") == []

    @pytest.mark.parametrize(
        "path",
        [
            *("/", "/qrs", "/qrs/app/full", "/qrs/license/useraccesstype", "/qrs/user/full/more"),
            *("/qrs/user/00000000-0000-4000-8000-999999999999", f"{ANALYZER}/{SITE['users'][0]['id']}"),
        ],
    )
    def test_unknown_is_not_found(self, client: Client, path: str) -> None:
        assert client.send(path).status_code == 404

    def test_users_are_never_deleted(self, client: Client) -> None:
        assert client.send(f"/qrs/user/{SITE['users'][0]['id']}", "DELETE").status_code == 404
        assert client.get("/qrs/user/count") == {"value": 6}


class TestDeleting:
    def test_a_license_goes_once(self, qrs: SimulatedQrs, client: Client) -> None:
        answer = client.send(f"{ANALYZER}/{NEW}", "DELETE")
        assert (answer.status_code, answer.content) == (204, b"")
        assert client.send(f"{ANALYZER}/{NEW}", "DELETE").status_code == 404
        assert client.send(f"{ANALYZER}/{NEW}").status_code == 404
        client.send(f"{ANALYZER}/{OLD}", "DELETE")
        assert qrs.deleted == [NEW, OLD]
        assert client.get(f"{ANALYZER}/count") == {"value": 2}
        assert len(SITE["licenses"]["analyzer"]) == 4  # the site was copied

    def test_of_the_other_type_it_is_not_found(self, qrs: SimulatedQrs, client: Client) -> None:
        assert client.send(f"{PROFESSIONAL}/{OLD}", "DELETE").status_code == 404
        assert qrs.deleted == []

    def test_used_within_seven_days_it_is_quarantined(self) -> None:
        with SimulatedQrs(SITE, now=NOW) as qrs, connect() as session:
            client = Client(qrs.url, session)
            for key in (NEW, OLD, HELD):
                assert client.send(f"{ANALYZER}/{key}", "DELETE").status_code == 204
            rows = {row["id"]: row for row in client.get(f"{ANALYZER}/full")}
            assert OLD not in rows
            assert rows[NEW]["quarantined"]
            assert rows[NEW]["quarantineEnd"] == "2026-11-28T02:00:00.000Z"
            assert rows[NEW]["modifiedDate"] == "2026-11-21T02:00:00.000Z"
            assert rows[HELD] == SITE["licenses"]["analyzer"][3]
            assert qrs.deleted == [NEW, OLD, HELD]


class TestAllocating:
    def test_a_user_gets_one(self, qrs: SimulatedQrs, client: Client) -> None:
        user = SITE["users"][0]
        answer = client.send(ANALYZER, "POST", {"user": {"id": user["id"]}})
        assert answer.status_code == 201
        row = answer.json()
        assert row["user"] == {name: user[name] for name in ("id", "userId", "userDirectory", "name")}
        assert client.get(f"{ANALYZER}/{row['id']}") == row
        assert (row["quarantined"], qrs.allocated) == (False, [user["id"]])
        overview = client.get("/qrs/license/accesstypeoverview")["analyzerAccess"]
        assert overview["allocated"] == 4

    @pytest.mark.parametrize("body", [None, {}, [], {"user": None}, {"user": {"id": 7}}, {"user": {"id": "nobody"}}])
    def test_without_a_user_there_is_none(self, qrs: SimulatedQrs, client: Client, body: object) -> None:
        assert client.send(ANALYZER, "POST", body).status_code == 400
        assert (qrs.allocated, client.get(f"{ANALYZER}/count")) == ([], {"value": 4})

    def test_who_has_one_gets_no_other(self, qrs: SimulatedQrs, client: Client) -> None:
        """One in quarantine counts: it is theirs until it is free."""
        for number in (2, 5):
            body = {"user": {"id": SITE["users"][number]["id"]}}
            assert client.send(ANALYZER, "POST", body).status_code == 409
        assert qrs.allocated == []

    def test_no_more_are_given_than_there_are(self) -> None:
        users = [{"id": f"u{n}", "userId": f"u{n}", "userDirectory": "X", "name": ""} for n in range(7)]
        with SimulatedQrs({"users": users}) as qrs, connect() as session:
            client = Client(qrs.url, session)
            codes = [client.send(PROFESSIONAL, "POST", {"user": {"id": user["id"]}}).status_code for user in users]
            assert codes == [201] * 5 + [409] * 2
            assert client.get("/qrs/license/accesstypeoverview")["professionalAccess"]["available"] == 0
            assert len({row["id"] for row in client.get(f"{PROFESSIONAL}/full")}) == 5

    def test_a_second_one_is_refused_or_makes_two(self) -> None:
        user = {"id": SITE["users"][2]["id"]}
        with SimulatedQrs(SITE) as qrs, connect() as session:
            client = Client(qrs.url, session)
            assert client.send(ANALYZER, "POST", {"user": user}).status_code == 409
            qrs.allocate_so(Allocations(second="doubled"))
            assert client.send(ANALYZER, "POST", {"user": user}).status_code == 201
            rows = [row for row in client.get(f"{ANALYZER}/full") if row["user"]["id"] == user["id"]]
            assert (len(rows), len({row["id"] for row in rows})) == (2, 2)

    def test_an_empty_pool_refuses_or_gives_one_in_excess(self) -> None:
        with SimulatedQrs({"users": SITE["users"]}) as qrs, connect() as session:
            client = Client(qrs.url, session)
            *first, last = ({"user": {"id": user["id"]}} for user in SITE["users"])
            assert not any(client.send(ANALYZER, "POST", body).json()["excess"] for body in first)
            assert client.send(ANALYZER, "POST", last).status_code == 409
            qrs.allocate_so(Allocations(empty_pool="excess"))
            assert client.send(ANALYZER, "POST", last).json()["excess"]
            overview = client.get("/qrs/license/accesstypeoverview")["analyzerAccess"]
            assert (overview["allocated"], overview["excess"]) == (6, 1)
