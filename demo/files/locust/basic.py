"""Load on helloservice: visitors who look at the front page."""

from locust import HttpUser, between, task


class Visitor(HttpUser):
    """Asks for the front page a few times a second."""

    wait_time = between(0.1, 0.2)

    @task
    def front_page(self) -> None:
        """Look at the front page."""
        self.client.get("/")
