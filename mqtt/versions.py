"""Which MQTT version to speak with a broker that we do not know yet. Pure."""

from models.domain.connection import Protocol


class VersionChoice:
    """5 first, 3.1.1 where the broker does not speak 5; what it answered to stays for as long as this object lives."""

    def __init__(self, wanted: Protocol) -> None:
        self.current = Protocol.MQTT_311 if wanted is Protocol.MQTT_311 else Protocol.MQTT_5
        self._settled = wanted is not Protocol.AUTO

    def answered(self) -> None:
        """The broker answered in the current version, be it with a refusal for another reason."""
        self._settled = True

    def turned_away(self) -> bool:
        """The broker refused the version, or hung up instead of answering. True: try again at once with 3.1.1."""
        if self._settled:
            return False
        again = self.current is Protocol.MQTT_5
        self.current = Protocol.MQTT_311 if again else Protocol.MQTT_5
        return again
