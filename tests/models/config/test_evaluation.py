from models.config import AtLeast, AtMost, Threshold


class TestThreshold:
    def test_short_forms(self):
        assert AtLeast(0.5) == Threshold(at_least=0.5)
        assert AtMost(3, within_blessed=0.1) == Threshold(at_most=3, within_blessed=0.1)
