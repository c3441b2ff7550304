"""The secret store of AWS Systems Manager: its Parameter Store.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.effects.secrets import Kept
from orchestrator.errors import SecretMissing, StoreUnreachable

#: Seconds to connect, and then for each part of the answer. Asked twice at most.
PATIENCE: Final = 10.0
_TRIES: Final = 2

#: Error codes that mean: later. Every other refusal is one of who we are, or of what we may.
_LATER: Final = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalServerError")
_UNAVAILABLE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterStore:
    """``db/password`` is the parameter of that name below the prefix, decrypted where it is a SecureString.

    Whom Holdfast is to AWS is found as every program of AWS finds it: environment, profile, role of the machine.
    """

    #: ``/holdfast/``.
    prefix: str
    #: Empty takes the region of Holdfast's own environment or profile.
    region: str = ""
    _open: list[Any] = field(default_factory=list)

    def place(self, secret: str) -> str:
        """Return the parameter."""
        return f"aws_ssm {self.prefix}{secret}"

    def find(self, secret: str) -> Kept | None:
        """Return the parameter's value.

        Raises SecretMissing: HF-4403 where AWS says no, HF-4404 without boto3, HF-4405 where no region is known;
        StoreUnreachable: HF-4402, HF-4406 where it takes too long.
        """
        say, boto3 = _library()
        try:
            if not self._open:
                self._open.append(self._client(boto3))
            found = self._open[0].get_parameter(Name=self.prefix + secret, WithDecryption=True)["Parameter"]
        except say.ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ParameterNotFound":
                return None
            raise self._refused(secret, error) from None
        except (say.NoRegionError, say.InvalidRegionError, say.ProfileNotFound) as error:
            raise SecretMissing(f"aws_ssm: {error}", code="HF-4405", hint="say region: of the store") from None
        except (say.NoCredentialsError, say.PartialCredentialsError, say.TokenRetrievalError) as error:
            raise SecretMissing(
                f"aws_ssm: {error}", code="HF-4403", hint="give Holdfast itself credentials of AWS"
            ) from None
        except (say.ConnectTimeoutError, say.ReadTimeoutError):
            raise StoreUnreachable(
                f"AWS did not answer within {PATIENCE:g} s", code="HF-4406", hint="is it reachable from here?"
            ) from None
        except say.BotoCoreError as error:
            raise StoreUnreachable(f"AWS did not answer: {error}", hint="is it reachable from here?") from None
        # One that was deleted and made again counts from one again.
        return Kept(value=found["Value"], version=f"{found['Version']} {found.get('LastModifiedDate', '')}")

    def _refused(self, secret: str, error: Any) -> SecretMissing:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _LATER or status >= _UNAVAILABLE:
            return StoreUnreachable(f"AWS did not answer for {self.place(secret)}: {code}", hint="run it again later")
        return SecretMissing(
            f"AWS does not show {self.place(secret)}: {code}",
            code="HF-4403",
            hint="grant ssm:GetParameter, and kms:Decrypt for its key",
        )

    def _client(self, boto3: Any) -> Any:
        from botocore.config import Config  # noqa: PLC0415 -- as above

        config = Config(
            connect_timeout=PATIENCE, read_timeout=PATIENCE, retries={"total_max_attempts": _TRIES, "mode": "standard"}
        )
        # A session of our own: the default one is shared, and not safe to use from several threads.
        return boto3.session.Session().client("ssm", region_name=self.region or None, config=config)


def _library() -> tuple[Any, Any]:
    """Return botocore's errors and boto3. Raises SecretMissing (HF-4404) where they are not installed."""
    try:
        import boto3  # noqa: PLC0415 -- an extra, and heavy
        from botocore import exceptions  # noqa: PLC0415 -- comes with it
    except ModuleNotFoundError as error:
        raise SecretMissing(
            f"the library for AWS is not installed ({error.name})",
            code="HF-4404",
            hint="pip install 'holdfast[aws]'",
        ) from error
    return exceptions, boto3
