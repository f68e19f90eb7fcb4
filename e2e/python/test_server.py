"""A Python service with the OpenFeature SDK, asking over OFREP at every evaluation."""

import unittest

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from shop import Shop

ANA = EvaluationContext("ana", {"plan": "free"})
BEA = EvaluationContext("bea", {"plan": "beta"})


class ServerSdkOverOfrep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(Shop())
        token = cls.shop.token("evaluator")
        cls.addClassCleanup(api.shutdown)
        cls.client = cls.client_with(token, "shop")

    @classmethod
    def client_with(cls, token, domain):
        headers = {"Authorization": f"Bearer {token}"}
        provider = OFREPProvider(cls.shop.url, headers_factory=lambda: headers)
        cls.addClassCleanup(provider.session.close)
        api.set_provider(provider, domain)
        return api.get_client(domain)

    def test_a_boolean_comes_with_variant_reason_and_revision(self):
        details = self.client.get_boolean_details("new-checkout", False, ANA)
        self.assertIs(details.value, True)
        self.assertEqual(details.variant, "on")
        self.assertIsNone(details.error_code)
        self.assertEqual(details.reason, Reason.STATIC)
        self.assertGreater(details.flag_metadata["revision"], 0)

    def test_a_string_an_integer_a_float_and_an_object_come_in_their_type(self):
        self.assertEqual(self.client.get_string_value("theme", "unset", ANA), "night")
        self.assertEqual(self.client.get_integer_value("img-quality", -1, ANA), 70)
        # A whole number: it must still arrive as a float, or this client refuses it.
        details = self.client.get_float_details("timeout-s", -1.0, ANA)
        self.assertEqual((details.value, details.error_code), (10.0, None))
        sale = {"text": "Sale", "until": {"day": 31}}
        self.assertEqual(self.client.get_object_value("banner", {"unset": True}, ANA), sale)

    def test_the_rule_of_the_context_decides(self):
        details = self.client.get_boolean_details("beta-only", False, BEA)
        self.assertEqual((details.value, details.reason), (True, Reason.TARGETING_MATCH))
        self.assertIs(self.client.get_boolean_value("beta-only", True, ANA), False)

    def test_a_closed_flag_gives_the_closed_value_and_not_the_callers_default(self):
        details = self.client.get_boolean_details("old-search", True, ANA)
        self.assertEqual((details.value, details.variant), (False, "off"))
        self.assertEqual((details.reason, details.error_code), (Reason.DISABLED, None))

    def test_a_bucket_without_a_unit_gives_the_closed_value_and_not_the_callers_default(self):
        for context in (None, EvaluationContext(), EvaluationContext(None, {"plan": "free"})):
            details = self.client.get_boolean_details("half", True, context)
            self.assertEqual((details.value, details.reason), (False, Reason.DEFAULT))
            self.assertIsNone(details.error_code)

    def test_an_unknown_flag_gives_the_callers_default(self):
        details = self.client.get_string_details("no-such-flag", "mine", ANA)
        self.assertEqual(details.value, "mine")
        self.assertEqual(details.error_code, ErrorCode.FLAG_NOT_FOUND)

    def test_a_flag_of_another_type_gives_the_callers_default(self):
        details = self.client.get_string_details("new-checkout", "mine", ANA)
        self.assertEqual(details.value, "mine")
        self.assertEqual(details.error_code, ErrorCode.TYPE_MISMATCH)

    def test_a_kill_is_seen_at_the_next_evaluation_and_so_is_the_opening_after_it(self):
        self.assertIs(self.client.get_boolean_value("new-checkout", False, ANA), True)
        revision = self.shop.lever("kill", "new-checkout", "-e", "prod", "-r", "e2e")["revision"]
        killed = self.client.get_boolean_details("new-checkout", True, ANA)
        self.assertEqual((killed.value, killed.reason), (False, Reason.DISABLED))
        self.assertGreaterEqual(killed.flag_metadata["revision"], revision)
        self.shop.lever("open", "new-checkout", "-e", "prod", "--to", "100%", "-r", "e2e")
        self.assertIs(self.client.get_boolean_value("new-checkout", False, ANA), True)

    def test_without_a_valid_token_the_callers_default_stays(self):
        stranger = self.client_with("lever_nobody", "stranger")
        details = stranger.get_boolean_details("new-checkout", False, ANA)
        self.assertEqual((details.value, details.error_code), (False, ErrorCode.GENERAL))


if __name__ == "__main__":
    unittest.main()
